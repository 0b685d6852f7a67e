"""Drivers of machines that somebody else runs. They get a snapshot of what is wanted, and know nothing of the store."""
