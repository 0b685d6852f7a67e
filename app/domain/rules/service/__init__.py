"""The rules of a Service."""
