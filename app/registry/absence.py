"""Why something cannot be written to that is not stored."""

from app.domain.errors import ApiError, Forbidden
from app.mirror.mirror import Mirror
from app.registry.outcomes import not_found
from app.registry.target import Target


async def absent(mirror: Mirror, target: Target) -> ApiError:
    """It is not there, or it is computed from another object and changes only with that, to be raised.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    kind, name = target.kind, target.name
    claim = None if kind.derivation is None else kind.derivation.claim(name)
    holder = None if claim is None else await mirror.holder(claim)
    if holder is None:
        return not_found(kind, name)
    whose = f"{holder.kind} {holder.namespace}/{holder.name}"
    message = f'{kind.key} "{name}" is forbidden: {whose} holds it; it changes and goes with that'
    return Forbidden(message, group=kind.group, kind=kind.plural, name=name)
