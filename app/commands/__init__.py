"""One module for each command, imported when it runs: `fairlead version` loads no database library."""
