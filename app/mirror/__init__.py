"""The objects in memory: read without asking the database, followed change by change."""
