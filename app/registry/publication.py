"""Objects that are stored and not published yet: nobody can see them, but they hold their names and claims.

A client is refused only for what it can see. So a request that meets such an object waits until it is published. If the
reconciler does not publish it within `allocation_wait`, the request publishes it, as the create of it would have.
"""

from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import ApiError, Forbidden
from app.mirror.entry import Entry
from app.registry.context import Context, entry_from_object
from app.registry.outcomes import not_found
from app.registry.target import Target
from app.store.writes import ClaimHeld, Committed, NameTaken, Outcome, Stale, Write
from app.telemetry import tracing
from app.telemetry.metrics import ALLOCATION_SECONDS


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
    with tracing.span("wait for the allocation"), ALLOCATION_SECONDS.time():
        entry = await context.mirror.wait_for(uid, context.allocation_wait)
    if entry is not None:
        return entry
    cluster = context.cluster()
    kind.strategy.explain_pending(obj, cluster)
    body = encode_body(obj)
    outcome = await context.writer.write(context.forms.write(kind, "publish", obj, body, cluster))
    if isinstance(outcome, Committed) and outcome.revision is not None:
        return entry_from_object(kind, obj, outcome.revision, body)
    if isinstance(outcome, Stale):
        await context.mirror.fresh()
        return context.mirror.by_uid(uid)
    return None


async def existing(context: Context, target: Target) -> Entry:
    """The object as of now, whichever process wrote it last; one that is not published yet is waited for.

    Raises:
        NotFound: It is not there.
        Forbidden: It is computed from another object, and changes only with that.
        ApiError: The store cannot be reached.
    """
    entry = await context.current(target) or await awaited(context, target)
    if entry is None:
        raise await _absence(context, target)
    return entry


async def awaited(context: Context, target: Target) -> Entry | None:
    """An object that this process has not seen, once it is published; None if there is no such object.

    Raises:
        ApiError: The store cannot be reached.
    """
    stored = context.forms.stored(target.kind)
    row = await context.reader.unpublished_named(stored.key, target.scope, target.name)
    if row is not None:
        return await published(context, stored, decode_object(stored, row.body))
    # It may have been published since this process looked.
    return await context.current(target)


async def written(context: Context, target: Target, write: Write) -> Outcome:
    """Store a write; answers what became of it.

    The write may need a name or a claim that an object holds which is not published yet. Then it is refused once that
    object can be seen; if the object goes instead, the write is tried again.

    Args:
        context: The collaborators.
        target: The object; without a name if the server generated its name and can generate another one.
        write: What to store.

    Raises:
        ApiError: The store cannot be reached.
    """
    while True:
        outcome = await context.writer.write(write)
        holder = unseen_holder(context, target, outcome)
        if holder is None or await awaited(context, holder) is not None:
            return outcome


def unseen_holder(context: Context, target: Target, outcome: Outcome) -> Target | None:
    """The object for which a write was refused, if this process has not seen it: it may not be published yet."""
    match outcome:
        case NameTaken(published=False) if target.name:
            return target
        case ClaimHeld() if outcome.owner_kind in context.kinds.by_key:
            holder = Target(context.kinds.by_key[outcome.owner_kind], outcome.owner_namespace, outcome.owner_name)
            return holder if context.known(holder) is None else None
    return None


async def _absence(context: Context, target: Target) -> ApiError:
    """Why an object cannot be written that is not stored."""
    kind, name = target.kind, target.name
    claim = None if kind.derivation is None else kind.derivation.claim(name)
    holder = None if claim is None else await context.holder(claim)
    if holder is None or (context.known(holder) or await awaited(context, holder)) is None:
        return not_found(kind, name)
    source = f"{holder.kind.key} {holder.scope}/{holder.name}"
    message = f'{kind.key} "{name}" is forbidden: it shows what {source} holds; change or delete that instead'
    return Forbidden(message, group=kind.group, kind=kind.plural, name=name)
