"""Upgrades: what a migration of the schema would do, and the embedded Postgres from one major version to the next."""
