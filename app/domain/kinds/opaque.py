"""Parts of registrations that Fairlead keeps and shows, but does not interpret."""

from typing import Annotated, Any

from msgspec import Meta

Opaque = Annotated[
    dict[str, Any], Meta(extra_json_schema={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""An object whose fields Fairlead does not interpret. Server-side apply records the owner of each field."""

Quantities = Opaque
"""Amounts of resources by name, such as `{"cpu": "250m"}`. Fairlead keeps them and does not use them."""
