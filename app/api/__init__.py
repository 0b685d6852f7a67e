"""The HTTP edge: paths, negotiation, errors, discovery, OpenAPI, streaming, authentication, health."""
