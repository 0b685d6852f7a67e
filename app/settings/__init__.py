"""What each process can be told: flags, environment variables and the settings file."""
