"""The OpenAPI documents: one description of the operations, written in three dialects."""
