"""The bodies of PATCH, a schema for each media type, so that generated clients know which to send.

JSON patch is left out of `/openapi.json`: a list beside objects in one body is what code generators stumble over. It is
in `/openapi/v3`.
"""

from app.api.openapi.content import Document, reference
from app.domain.patching.prepared import APPLY_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH

_FREE_OBJECT = {"type": "object", "additionalProperties": True}

PATCH_SCHEMAS: dict[str, Document] = {
    "MergePatch": {"description": "What to change; null removes (RFC 7396). Lists are replaced.", **_FREE_OBJECT},
    "StrategicMergePatch": {
        "description": "What to change; null removes. Lists are merged by the keys that the schemas declare as "
        "`x-kubernetes-patch-merge-key`.",
        **_FREE_OBJECT,
    },
}


def patch_bodies(schema: str) -> Document:
    """What a PATCH of objects with this schema may carry, by media type."""
    return {
        MERGE_PATCH: {"schema": reference("MergePatch")},
        STRATEGIC_MERGE_PATCH: {"schema": reference("StrategicMergePatch")},
        APPLY_PATCH: {"schema": reference(schema)},
    }
