"""What `fairlead serve` does: Postgres, one reconciler and the API processes, their lives and their deaths."""
