"""Why something cannot be written to that is not stored."""

from app.domain.errors import ApiError, Forbidden
from app.registry.context import Context
from app.registry.outcomes import not_found
from app.registry.publication import awaited
from app.registry.target import Target


async def absent(context: Context, target: Target) -> ApiError:
    """It is not there, or it is computed from another object and changes only with that, to be raised.

    Raises:
        ApiError: The store cannot be reached.
    """
    kind, name = target.kind, target.name
    claim = None if kind.derivation is None else kind.derivation.claim(name)
    holder = None if claim is None else await context.holder(claim)
    if holder is None or (context.known(holder) or await awaited(context, holder)) is None:
        return not_found(kind, name)
    whose = f"{holder.kind.key} {holder.scope}/{holder.name}"
    message = f'{kind.key} "{name}" is forbidden: {whose} holds it; it changes and goes with that'
    return Forbidden(message, group=kind.group, kind=kind.plural, name=name)
