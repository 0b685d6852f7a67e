"""The objects in memory: read without a query, kept up to date from the log."""
