"""What a Service may be and what becomes of it, as Kubernetes 1.36 has it: pure functions over plain objects."""
