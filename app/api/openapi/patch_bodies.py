"""The bodies of PATCH: a schema for each media type, so that generated clients know which to send.

`/openapi.json` leaves out JSON patch: generators of clients fail at a body that is an object or a list. `/openapi/v3`
has it.
"""

from app.api.openapi.content import Document, reference
from app.domain.patching.prepared import APPLY_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH

_FREE_OBJECT = {"type": "object", "additionalProperties": True}

PATCH_SCHEMAS: dict[str, Document] = {
    "MergePatch": {
        "description": "The fields to change; null removes a field (RFC 7396). A list replaces the whole list.",
        **_FREE_OBJECT,
    },
    "StrategicMergePatch": {
        "description": "The fields to change; null removes a field. Lists are merged by the keys that the schemas "
        "declare as `x-kubernetes-patch-merge-key`.",
        **_FREE_OBJECT,
    },
}


def patch_bodies(schema: str) -> Document:
    """The bodies of a PATCH by media type, for objects with a schema."""
    return {
        MERGE_PATCH: {"schema": reference("MergePatch")},
        STRATEGIC_MERGE_PATCH: {"schema": reference("StrategicMergePatch")},
        APPLY_PATCH: {"schema": reference(schema)},
    }
