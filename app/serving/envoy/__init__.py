"""What a data plane does, as resources of Envoy: clusters, their assignments of endpoints, and listeners."""
