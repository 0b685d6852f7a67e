"""Fairlead: the Service half of Kubernetes as a control plane of its own, on Postgres."""
