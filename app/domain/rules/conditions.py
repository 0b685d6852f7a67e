"""Conditions in the status of objects (meta/v1 Condition)."""

from collections.abc import Sequence

from app.domain.kinds.meta import Condition


def with_condition(
    conditions: Sequence[Condition] | None, type_: str, status: str, *, reason: str, message: str, now: str
) -> list[Condition]:
    """The conditions, with one of them replaced or added at the end.

    Its transition time is `now` (RFC 3339) if its status changes, and does not change otherwise.
    """
    before = next((each for each in conditions or () if each.type == type_), None)
    since = before.last_transition_time if before is not None and before.status == status else now
    written = Condition(type=type_, status=status, last_transition_time=since, reason=reason, message=message)
    if before is None:
        return [*(conditions or ()), written]
    return [written if each is before else each for each in conditions or ()]
