"""Allocation: what waits, what is attempted, what is published, what is stored together, and what is free."""
