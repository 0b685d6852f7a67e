"""One file a concern: look at stored state and bring it where it should be."""
