"""Event (core/v1): something that happened to an object, kept for a while. Both Event APIs store this shape."""

from msgspec import field

from app.domain.errors import Cause, invalid, required
from app.domain.kinds.columns import NAME
from app.domain.kinds.kind import Column, Kind, Strategy
from app.domain.kinds.meta import Cluster, Int32, KubeObject, MicroTime, ObjectReference, Time, Wire, null
from app.domain.rules.names import qualified_name_problem
from app.domain.timestamps import age

_SHORT_TEXT_LIMIT, _MESSAGE_LIMIT = 128, 1024
"""Characters, for `reportingInstance`, `action` and `reason`, and for `message`, of an event with an eventTime."""

_CLUSTER_EVENT_NAMESPACES = ("default", "kube-system")
"""Where events about objects without a namespace may live."""


class EventSource(Wire):
    """Who reported the event, the older way.

    Attributes:
        component: The program.
        host: The node it runs on.
    """

    component: str = ""
    host: str = ""


class EventSeries(Wire):
    """The same event again and again, as one object.

    Attributes:
        count: How often it was seen up to the last time.
        last_observed_time: When it was seen last.
    """

    count: Int32 = 0
    last_observed_time: MicroTime | None = field(default_factory=null)


class Event(KubeObject):
    """Something that happened to an object.

    Attributes:
        involved_object: What it happened to.
        reason: Why it happened, as one word in CamelCase.
        message: What happened, for people.
        source: Who reported it, the older way; `reportingComponent` is the newer one.
        first_timestamp: When it was first seen, the older way.
        last_timestamp: When it was last seen, the older way.
        count: How often it was seen, the older way.
        type: Normal or Warning.
        event_time: When it was first seen.
        series: That it goes on, and how often; nothing for an event that was seen once.
        action: What was done, or failed, as one word in CamelCase.
        related: A second object that has to do with it.
        reporting_component: Who reported it, such as kubernetes.io/kube-proxy.
        reporting_instance: Which instance of the reporter, such as its node's name.
    """

    required = ("metadata", "involved_object")

    involved_object: ObjectReference = field(default_factory=ObjectReference)
    reason: str = ""
    message: str = ""
    source: EventSource = field(default_factory=EventSource)
    first_timestamp: Time | None = field(default_factory=null)
    last_timestamp: Time | None = field(default_factory=null)
    count: Int32 = 0
    type: str = ""
    event_time: MicroTime | None = field(default_factory=null)
    series: EventSeries | None = None
    action: str = ""
    related: ObjectReference | None = None
    reporting_component: str = field(default_factory=str)
    reporting_instance: str = field(default_factory=str)


class EventStrategy(Strategy[Event]):
    """Events of the older form (no `eventTime`) are checked for their namespace only, as older clients expect."""

    def validate_create(self, new: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return validate_event(new, reporter_field="reportingComponent")


def validate_event(event: Event, *, reporter_field: str) -> list[Cause]:
    """What holds for every event, by whichever API it comes.

    Args:
        event: The event in its stored shape.
        reporter_field: How the API in use spells the reporting controller's field.
    """
    namespace, about = event.metadata.namespace or "", event.involved_object.namespace
    if not event.event_time:
        matches = about == namespace if about else namespace in ("", "default")
        return [] if matches else [_other_namespace(about, namespace)]
    causes = []
    if not about and namespace not in _CLUSTER_EVENT_NAMESPACES:
        causes.append(_other_namespace(about, namespace))
    if not event.reporting_component:
        causes.append(required(reporter_field, "name the controller that reports the event"))
    if problem := qualified_name_problem(event.reporting_component):
        causes.append(invalid(reporter_field, event.reporting_component, problem))
    texts = {"reportingInstance": event.reporting_instance, "action": event.action, "reason": event.reason}
    for name, value in texts.items():
        if not value:
            causes.append(required(name, "an event with an eventTime has one"))
        elif len(value.encode()) > _SHORT_TEXT_LIMIT:
            causes.append(invalid(name, "", f"may have at most {_SHORT_TEXT_LIMIT} characters"))
    if len(event.message.encode()) > _MESSAGE_LIMIT:
        causes.append(invalid("message", "", f"may have at most {_MESSAGE_LIMIT} characters"))
    return causes


def _other_namespace(about: str, namespace: str) -> Cause:
    return invalid("involvedObject.namespace", about, f"must be the event's own namespace, {namespace!r}")


def reporter(event: Event) -> str:
    """Who reported the event, by the older field or the newer."""
    return event.source.component or event.reporting_component


def _first_seen(event: Event, now: str) -> str:
    return age(event.first_timestamp or event.event_time, now)


def _last_seen(event: Event, now: str) -> str:
    if event.series:
        return age(event.series.last_observed_time, now)
    return age(event.last_timestamp, now) if event.last_timestamp else _first_seen(event, now)


def _count(event: Event, _now: str) -> int:
    return event.series.count if event.series else event.count or 1


def _object(event: Event, _now: str) -> str:
    about = event.involved_object
    return f"{about.kind.lower()}/{about.name}" if about.name else about.kind.lower()


def _source(event: Event, _now: str) -> str:
    host = event.source.host or event.reporting_instance
    return f"{reporter(event)}, {host}" if host else reporter(event)


EVENT_COLUMNS: tuple[Column[Event], ...] = (
    Column("Last Seen", _last_seen, description="Time since it was last observed."),
    Column("Type", lambda event, _now: event.type, description="Normal or Warning."),
    Column("Reason", lambda event, _now: event.reason, description="One word for why it happened."),
    Column("Object", _object, description="What it happened to."),
    Column("Subobject", lambda event, _now: event.involved_object.field_path, priority=1, description="Part of it."),
    Column("Source", _source, priority=1, description="Who reported it, and where that runs."),
    Column("Message", lambda event, _now: event.message.strip(), description="What happened, for people."),
    Column("First Seen", _first_seen, priority=1, description="Time since it was first observed."),
    Column("Count", _count, type="integer", priority=1, description="How often it was observed."),
    Column(NAME.name, NAME.cell, format="name", priority=1, description=NAME.description),
)

EVENT = Kind(
    group="",
    version="v1",
    name="Event",
    plural="events",
    singular="event",
    namespaced=True,
    model=Event,
    schema="io.k8s.api.core.v1.Event",
    columns=EVENT_COLUMNS,
    strategy=EventStrategy(),
    short_names=("ev",),
    selectable={
        "involvedObject.kind": lambda event: event.involved_object.kind,
        "involvedObject.namespace": lambda event: event.involved_object.namespace,
        "involvedObject.name": lambda event: event.involved_object.name,
        "involvedObject.uid": lambda event: event.involved_object.uid,
        "involvedObject.apiVersion": lambda event: event.involved_object.api_version,
        "involvedObject.resourceVersion": lambda event: event.involved_object.resource_version,
        "involvedObject.fieldPath": lambda event: event.involved_object.field_path,
        "reason": lambda event: event.reason,
        "reportingComponent": lambda event: event.reporting_component,
        "source": reporter,
        "type": lambda event: event.type,
    },
    create_on_update=True,
    name_rule="any_path_segment",
)
