"""Four ways to change a part of an object: JSON patch, JSON merge patch, strategic merge patch, server-side apply."""
