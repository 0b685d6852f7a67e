"""Envoy's discovery protocol (xDS): what Envoys are sent, in which order, and what they answer."""
