"""Objects that are stored and that nobody can see yet: waiting until they are published, or publishing them."""

from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body
from app.mirror.entry import Entry
from app.registry.context import Context, entry_from_object
from app.registry.target import Target
from app.store.writes import Committed, Stale


async def published(context: Context, kind: Kind[Any], obj: Any) -> Entry | None:
    """Wait until the reconciler has allocated for a stored object and published it.

    When that takes longer than `allocation_wait`, the object is published as it is, pending.

    Args:
        context: The collaborators.
        kind: The kind, in whose form `obj` is.
        obj: The object as it is stored.

    Returns:
        None when it was deleted meanwhile.

    Raises:
        ApiError: The store cannot be reached.
    """
    uid = obj.metadata.uid
    entry = await context.mirror.wait_for(uid, context.allocation_wait)
    if entry is not None:
        return entry
    body = encode_body(obj)
    outcome = await context.writer.write(context.forms.write(kind, "publish", obj, body, context.cluster()))
    if isinstance(outcome, Committed) and outcome.revision is not None:
        return entry_from_object(kind, obj, outcome.revision, body)
    if isinstance(outcome, Stale):
        await context.mirror.fresh()
        return context.mirror.by_uid(uid)
    return None


async def seen(context: Context, target: Target) -> Entry | None:
    """The object as of now, whichever process wrote it last; None where there is none.

    An object that holds the name and is not published yet is waited for, so that whoever is told that it exists can
    read it, and whoever is told that it does not can create it.

    Raises:
        ApiError: The store cannot be reached.
    """
    entry = await context.current(target)
    if entry is not None:
        return entry
    stored = context.forms.stored(target.kind)
    row = await context.reader.unpublished_named(stored.key, target.scope, target.name)
    if row is not None:
        return await published(context, stored, decode_object(stored, row.body))
    # It may have been published between the two questions.
    return await context.current(target)
