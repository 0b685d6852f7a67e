"""The audit log: what is written into it, and how it is kept."""
