"""The only floor that speaks SQL: objects, the log of changes, claims, leases and notifications in Postgres."""
