"""From plans for endpoints to writes, and from their outcomes to answers for the loop."""

from collections.abc import Callable, Mapping, Sequence

from app.controllers.controller import ObjectKey
from app.controllers.own_writes import conflict, creation, removal, update
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.errors import RetryError
from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.rules.cluster import Cluster
from app.domain.wanted.slice_packing import MANAGED_BY_LABEL, SlicePlan
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, NamespaceMissing, NamespaceTerminating, Write

_SERVICES_AT_ONCE = 64
"""So many Services are planned for at a time: that holds the event loop for some milliseconds, and their writes go
together."""

_SETTLED = (Committed, Missing, NamespaceMissing, NamespaceTerminating)
"""Outcomes after which nothing is left to do: the deletion of an object brings its Service back into the queue, and
nothing is created in a namespace that is being deleted."""


def labelled_by(slice_: EndpointSlice, controller: str) -> bool:
    """Whether a slice is managed by a controller."""
    return (slice_.metadata.labels or {}).get(MANAGED_BY_LABEL) == controller


def writes_of(plan: SlicePlan, cluster: Cluster, lease: LeaseGuard) -> list[Write]:
    """The writes of a plan for slices that were decoded as they are stored."""
    writes = []
    for made in plan.create:
        made.metadata.generation = 1
        writes.append(creation(ENDPOINT_SLICE, made, cluster, lease))
    for changed in plan.update:
        changed.metadata.generation = (changed.metadata.generation or 0) + 1
        writes.append(update(ENDPOINT_SLICE, changed, int(changed.metadata.resource_version or 0), cluster, lease))
    return writes + [
        removal(ENDPOINT_SLICE, doomed, int(doomed.metadata.resource_version or 0), cluster, lease)
        for doomed in plan.delete
    ]


async def plan_and_write(
    writer: Writer, keys: Sequence[ObjectKey], plan: Callable[[ObjectKey], Sequence[Write]]
) -> Mapping[ObjectKey, RetryError]:
    """Plan for each key and store the writes; answers the keys whose objects changed since they were planned for."""
    distinct = list(dict.fromkeys(keys))
    failures: dict[ObjectKey, RetryError] = {}
    for start in range(0, len(distinct), _SERVICES_AT_ONCE):
        planned = [(key, write) for key in distinct[start : start + _SERVICES_AT_ONCE] for write in plan(key)]
        outcomes = await writer.write_all([write for _, write in planned])
        for (key, _), outcome in zip(planned, outcomes, strict=True):
            if not isinstance(outcome, _SETTLED):
                failures[key] = conflict(outcome)
    return failures
