"""The rules of all kinds, as in Kubernetes 1.36: pure functions over plain objects."""
