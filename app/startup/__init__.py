"""Starting a process: the initial objects, and the lease by which others find it."""
