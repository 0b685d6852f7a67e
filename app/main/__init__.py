"""The composition root: puts an API process and a reconciler together from their settings."""
