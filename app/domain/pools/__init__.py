"""What addresses and ports are picked from, and the picking."""
