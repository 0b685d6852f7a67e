"""Expressions of the Common Expression Language (CEL), as Kubernetes has them in admission policies."""
