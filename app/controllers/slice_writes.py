"""A plan for slices as writes, and what became of them."""

from collections.abc import Mapping, Sequence

from app.controllers.controller import Key
from app.controllers.object_writes import creation, removal, update
from app.domain.errors import RetryError, Temporary
from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.endpoint_slice_declaration import ENDPOINT_SLICE
from app.domain.wanted.slice_packing import MANAGED_BY_LABEL, SlicePlan
from app.mirror.mirror import Mirror
from app.store.writes import Committed, LeaseGuard, NamespaceMissing, NamespaceTerminating, Outcome, Write

_AGAIN = 0.05


def labelled_by(slice_: EndpointSlice, controller: str) -> bool:
    """Whether a slice is managed by a controller."""
    return (slice_.metadata.labels or {}).get(MANAGED_BY_LABEL) == controller


def writes_of(plan: SlicePlan, mirror: Mirror, now: str, lease: LeaseGuard) -> list[Write]:
    """The writes of a plan; a slice that is gone meanwhile needs none, because its going brings its Service back."""
    writes = []
    for made in plan.create:
        made.metadata.generation = 1
        writes.append(creation(ENDPOINT_SLICE, made, now, lease))
    for changed in plan.update:
        entry = mirror.by_uid(changed.metadata.uid or "")
        if entry is not None:
            changed.metadata.generation = (changed.metadata.generation or 0) + 1
            writes.append(update(ENDPOINT_SLICE, changed, entry.revision, lease))
    for doomed in plan.delete:
        entry = mirror.by_uid(doomed.metadata.uid or "")
        if entry is not None:
            writes.append(removal(ENDPOINT_SLICE, doomed, entry.revision, lease))
    return writes


def settle(owners: Sequence[Key], outcomes: Sequence[Outcome]) -> Mapping[Key, RetryError]:
    """Which keys to try again: those whose object changed under the plan. In a namespace that goes, nothing is owed."""
    fine = (Committed, NamespaceMissing, NamespaceTerminating)
    return {
        key: Temporary(f"{type(outcome).__name__} while its endpoints were written", _AGAIN)
        for key, outcome in zip(owners, outcomes, strict=True)
        if not isinstance(outcome, fine)
    }
