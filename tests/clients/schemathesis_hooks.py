"""What Schemathesis is told beside the document, so that it gets beyond the first refusal."""

from zlib import crc32

import schemathesis

GRAMMARS = {"continue", "fieldSelector", "labelSelector", "resourceVersionMatch"}
"""Parameters with a grammar of their own, which random text does not meet."""
AWAITED = "resourceVersion"
"""A revision that nobody has seen yet is waited for: three seconds each."""
CHOSEN_BY_THE_SERVER = {"resourceVersion", "uid", "generateName", "namespace", "deletionTimestamp", "managedFields"}


def _one_in(times, value):
    return not crc32(repr(value).encode()) % times


@schemathesis.hook
def map_query(context, query):
    del context
    left_out = {AWAITED} if _one_in(4, query) else {AWAITED, *GRAMMARS}
    return query and {name: value for name, value in query.items() if name not in left_out}


@schemathesis.hook
def map_body(context, body):
    """Most objects have the path's name, and no options of a deletion forbid it."""
    del context
    if not isinstance(body, dict) or _one_in(4, body):
        return body
    if "preconditions" in body:
        return {name: value for name, value in body.items() if name not in ("preconditions", "dryRun", "kind")}
    if isinstance(body.get("metadata"), dict):
        kept = {name: value for name, value in body["metadata"].items() if name not in CHOSEN_BY_THE_SERVER}
        body = {**body, "metadata": {**kept, "name": "web"}}
    return body
