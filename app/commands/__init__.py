"""One module a command, imported only when its command runs: `fairlead version` waits for no database library."""
