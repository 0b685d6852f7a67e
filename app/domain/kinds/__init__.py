"""One file a kind: its model and its declaration."""
