"""Fairlead: the Service half of Kubernetes as a control plane of its own, on Postgres."""

__version__ = "0.1.0"
