"""Backups: a dump in one file, compressed and encrypted, or base backups with the write-ahead log; and the way back."""
