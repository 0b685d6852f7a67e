"""Kubernetes' protobuf encoding of request bodies, which Go clients prefer."""
