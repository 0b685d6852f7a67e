"""The only loop: leases, queues, backoff, wake-ups."""
