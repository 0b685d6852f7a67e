"""Parts of registrations that Fairlead keeps and shows, but never looks into."""

from typing import Annotated, Any

from msgspec import Meta

Opaque = Annotated[
    dict[str, Any], Meta(extra_json_schema={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""An object whose fields are somebody else's business; server-side apply gives it owners field by field."""

Quantities = Opaque
"""Amounts of resources by name, e.g. `{"cpu": "250m"}`; nothing here is scheduled by them."""
