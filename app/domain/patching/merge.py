"""JSON Merge Patch (RFC 7396)."""

from typing import Any


def merge_patch(document: Any, patch: Any) -> Any:
    """Merge `patch` into `document`: null removes a field, objects are merged, all other values replace.

    Returns:
        The merged document. The arguments are not changed.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
