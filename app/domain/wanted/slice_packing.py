"""The distribution of endpoints over EndpointSlices, with few writes and within the limit of a slice.

Watchers get whole slices, so a change should touch few of them. Endpoints stay in their slices. New ones go first into
slices that are written anyway, then all into one slice that has room, then into a new one. Slices are never merged.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.endpoint_slice import Endpoint, EndpointPort, EndpointSlice

MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
"""Label that names the controller a slice belongs to."""

TRIGGER_TIME_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
"""The annotation with the time of the change that caused the last write of a slice."""

Identity = tuple[tuple[str, ...], str | None, str, str]
PortsKey = tuple[tuple[str, str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all slices of one owner share.

    Attributes:
        namespace: Their namespace.
        owner: The object that they are deleted with.
        labels: All of their labels.
        limit: The maximum of endpoints in a slice.
        annotations: All of their annotations; None leaves the annotations as they are.
        trigger_time: The time of the change that causes the writes, RFC 3339; None if unknown.
    """

    namespace: str
    owner: OwnerReference
    labels: dict[str, str]
    limit: int
    annotations: dict[str, str] | None = None
    trigger_time: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The endpoints of one address type that offer the same ports. Other endpoints are in other slices."""

    address_type: str
    ports: list[EndpointPort]
    endpoints: list[Endpoint]


@dataclass(slots=True)
class SlicePlan:
    """The writes that bring the slices into the desired state.

    Attributes:
        create: New slices, with `generateName` and no name.
        update: Slices with their new content; name, uid and resourceVersion are those of the existing one.
        delete: Slices to delete.
    """

    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)


def plan_slices(
    frame: Frame, groups: Sequence[Group], existing: Iterable[EndpointSlice], always: Sequence[str] = ()
) -> SlicePlan:
    """Plan the writes that turn the existing slices into ones that hold exactly the groups' endpoints.

    Args:
        frame: What the slices have alike.
        groups: The desired endpoints, one group for each address type and set of ports. No group is empty.
        existing: The present slices. Slices of another owner are deleted.
        always: Address types that always have a slice, even an empty one.
    """
    plan = SlicePlan()
    mine: dict[tuple[str, PortsKey], list[EndpointSlice]] = defaultdict(list)
    for each in sorted(existing, key=lambda each: each.metadata.name):
        if _owned(each, frame.owner):
            mine[each.address_type, ports_key(each.ports)].append(each)
        else:
            plan.delete.append(each)
    for group in groups:
        _pack(frame, group, mine.pop((group.address_type, ports_key(group.ports)), []), plan)
    plan.delete += [each for slices in mine.values() for each in slices]
    held = {group.address_type for group in groups}
    plan.create += [_new(frame, Group(each, [], [])) for each in always if each not in held]
    _reuse_leaving(frame, plan)
    for each in (*plan.create, *plan.update):
        each.metadata.annotations = with_trigger_time(each.metadata.annotations, frame.trigger_time)
    return plan


def ports_key(ports: Sequence[EndpointPort] | None) -> PortsKey:
    """A set of ports as a value that does not depend on their order."""
    return tuple(
        sorted(
            (port.name or "", port.protocol or "TCP", -1 if port.port is None else port.port, port.app_protocol or "")
            for port in ports or []
        )
    )


def _pack(frame: Frame, group: Group, slices: Sequence[EndpointSlice], plan: SlicePlan) -> None:
    wanted = {_identity(endpoint): endpoint for endpoint in group.endpoints}
    changed: list[EndpointSlice] = []
    unchanged: list[EndpointSlice] = []
    for each in slices:
        before = each.endpoints or []
        after = _staying(before, wanted, frame.limit)
        if not after:
            plan.delete.append(each)
        elif after != before:
            changed.append(structs.replace(each, endpoints=after))
        else:
            (unchanged if _has_frame(frame, each) else changed).append(each)
    missing = list(wanted.values())
    changed = [_filled(frame, each, missing) for each in sorted(changed, key=_fullest_first)]
    while missing:
        roomy = _best_fit(unchanged, len(missing), frame.limit)
        if roomy is not None:
            unchanged = [each for each in unchanged if each is not roomy]
            changed.append(_filled(frame, roomy, missing))
        else:
            plan.create.append(_filled(frame, _new(frame, group), missing))
    plan.update += [_with_frame(frame, each) for each in changed]


def _staying(before: Sequence[Endpoint], wanted: dict[Identity, Endpoint], limit: int) -> list[Endpoint]:
    """The endpoints of a slice that are still wanted, in their new form. They are removed from `wanted`."""
    staying: list[Endpoint] = []
    for endpoint in before:
        key = _identity(endpoint)
        if key in wanted and len(staying) < limit:
            staying.append(wanted.pop(key))
    return staying


def _filled(frame: Frame, slice_: EndpointSlice, missing: list[Endpoint]) -> EndpointSlice:
    """The slice with as many of the missing endpoints as it has room for. They are removed from `missing`."""
    held = slice_.endpoints or []
    room = max(frame.limit - len(held), 0)
    added, missing[:] = missing[:room], missing[room:]
    return structs.replace(slice_, endpoints=held + added) if added else slice_


def _best_fit(slices: Sequence[EndpointSlice], count: int, limit: int) -> EndpointSlice | None:
    """The fullest slice with room for `count` endpoints. As many as fill a slice get a new slice."""
    fitting = [each for each in slices if len(each.endpoints or []) + count <= limit]
    return min(fitting, key=_fullest_first, default=None) if count < limit else None


def _fullest_first(slice_: EndpointSlice) -> tuple[int, str]:
    return (-len(slice_.endpoints or []), slice_.metadata.name)


def _identity(endpoint: Endpoint) -> Identity:
    """The identity of an endpoint. The other fields may change in place."""
    target = endpoint.target_ref
    where = (target.namespace, target.name) if target else ("", "")
    return (tuple(endpoint.addresses or ()), endpoint.hostname, *where)


def _owned(slice_: EndpointSlice, owner: OwnerReference) -> bool:
    """Whether this owner has the slice. Slices of an earlier owner of the same name will be collected."""
    mine = (owner.api_version, owner.kind, owner.uid)
    return any((each.api_version, each.kind, each.uid) == mine for each in slice_.metadata.owner_references or [])


def _new(frame: Frame, group: Group) -> EndpointSlice:
    return EndpointSlice(
        api_version="discovery.k8s.io/v1",
        kind="EndpointSlice",
        metadata=ObjectMeta(
            generate_name=f"{frame.owner.name}-",
            namespace=frame.namespace,
            labels=dict(frame.labels),
            annotations=dict(frame.annotations) if frame.annotations else None,
            owner_references=[frame.owner],
        ),
        address_type=group.address_type,
        endpoints=None,
        ports=list(group.ports) or None,
    )


def with_trigger_time(annotations: Mapping[str, str] | None, time: str | None) -> dict[str, str] | None:
    """Annotations with the time of the change. The time of an earlier write is dropped in any case."""
    kept = {key: value for key, value in (annotations or {}).items() if key != TRIGGER_TIME_ANNOTATION}
    return (kept | {TRIGGER_TIME_ANNOTATION: time} if time else kept) or None


def _annotations(slice_: EndpointSlice) -> dict[str, str]:
    return with_trigger_time(slice_.metadata.annotations, None) or {}


def _has_frame(frame: Frame, slice_: EndpointSlice) -> bool:
    """Whether labels and annotations are as desired."""
    annotated = frame.annotations is None or frame.annotations == _annotations(slice_)
    return annotated and (slice_.metadata.labels or {}) == frame.labels


def _with_frame(frame: Frame, slice_: EndpointSlice) -> EndpointSlice:
    annotations = _annotations(slice_) if frame.annotations is None else dict(frame.annotations)
    meta = structs.replace(slice_.metadata, labels=dict(frame.labels), annotations=annotations or None)
    return structs.replace(slice_, metadata=meta)


def _reuse_leaving(frame: Frame, plan: SlicePlan) -> None:
    """Rewrite slices that would be deleted as new ones: one write and one event instead of two."""
    going, plan.delete = plan.delete, []
    for leaving in going:
        owned = _owned(leaving, frame.owner)
        successor = next((each for each in plan.create if owned and each.address_type == leaving.address_type), None)
        if successor is None:
            plan.delete.append(leaving)
            continue
        plan.create = [each for each in plan.create if each is not successor]
        reused = _with_frame(frame, structs.replace(leaving, endpoints=successor.endpoints, ports=successor.ports))
        if not (_has_frame(frame, leaving) and _holds_same(reused, leaving)):
            plan.update.append(reused)


def _holds_same(one: EndpointSlice, other: EndpointSlice) -> bool:
    same_ports = ports_key(one.ports) == ports_key(other.ports)
    return same_ports and (one.endpoints or []) == (other.endpoints or [])
