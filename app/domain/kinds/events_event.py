"""Event (events.k8s.io/v1): the newer shape of the same stored events (KEP-383).

One store: an event is kept as core/v1 has it, under the key `events`, and this declaration is a view of it. Every
field has its counterpart, so nothing is lost either way.
"""

from typing import Any

from msgspec import field

from app.domain.errors import Cause, invalid, required
from app.domain.kinds import event as core
from app.domain.kinds.kind import Column, Kind, Strategy, View
from app.domain.kinds.meta import Cluster, Int32, KubeObject, MicroTime, ObjectReference, Time, Wire, null

_COUNTERPARTS = {  # here: in core/v1; the rest is spelled alike
    "regarding": "involved_object",
    "note": "message",
    "reporting_controller": "reporting_component",
    "deprecated_source": "source",
    "deprecated_first_timestamp": "first_timestamp",
    "deprecated_last_timestamp": "last_timestamp",
    "deprecated_count": "count",
}

_SHARED = ("metadata", "event_time", "series", "reporting_instance", "action", "reason", "related", "type")


class EventSeries(Wire):
    """The same event again and again, as one object.

    Attributes:
        count: How often it was seen up to the last time.
        last_observed_time: When it was seen last.
    """

    required = ("count", "last_observed_time")

    count: Int32 = field(default_factory=int)
    last_observed_time: MicroTime | None = field(default_factory=null)


class Event(KubeObject):
    """Something that happened to an object.

    Attributes:
        event_time: When it was first seen.
        series: That it goes on, and how often; nothing for an event that was seen once.
        reporting_controller: Who reports it, such as kubernetes.io/kube-proxy.
        reporting_instance: Which instance of the reporter, such as its node's name.
        action: What was done, or failed, as one word in CamelCase.
        reason: Why it happened, as one word in CamelCase.
        regarding: What it happened to.
        related: A second object that has to do with it.
        note: What happened, for people; at most 1024 bytes.
        type: Normal or Warning.
        deprecated_source: Who reported it, as core/v1 tells it.
        deprecated_first_timestamp: When it was first seen, as core/v1 tells it.
        deprecated_last_timestamp: When it was last seen, as core/v1 tells it.
        deprecated_count: How often it was seen, as core/v1 tells it.
    """

    required = ("event_time",)

    event_time: MicroTime | None = field(default_factory=null)
    series: EventSeries | None = None
    reporting_controller: str = ""
    reporting_instance: str = ""
    action: str = ""
    reason: str = ""
    regarding: ObjectReference = field(default_factory=ObjectReference)
    related: ObjectReference | None = None
    note: str = ""
    type: str = ""
    deprecated_source: core.EventSource = field(default_factory=core.EventSource)
    deprecated_first_timestamp: Time | None = field(default_factory=null)
    deprecated_last_timestamp: Time | None = field(default_factory=null)
    deprecated_count: Int32 = 0


def from_stored(stored: core.Event) -> Event:
    """Show a stored event in this API's shape."""
    values: dict[str, Any] = {name: getattr(stored, name) for name in _SHARED}
    values |= {here: getattr(stored, there) for here, there in _COUNTERPARTS.items()}
    if stored.series:
        values["series"] = EventSeries(stored.series.count, stored.series.last_observed_time)
    return Event(api_version="events.k8s.io/v1", kind="Event", **values)


def to_stored(event: Event) -> core.Event:
    """Turn an event of this API into what is stored."""
    values: dict[str, Any] = {name: getattr(event, name) for name in _SHARED}
    values |= {there: getattr(event, here) for here, there in _COUNTERPARTS.items()}
    if event.series:
        values["series"] = core.EventSeries(event.series.count, event.series.last_observed_time)
    return core.Event(api_version="v1", kind="Event", **values)


class EventsEventStrategy(Strategy[Event]):
    """The newer API asks for complete events and lets only metadata and the series change.

    Fields are named in causes as core/v1 spells them, which is how Kubernetes answers here, too.
    """

    def validate_create(self, new: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in a new event."""
        del cluster
        stored = to_stored(new)
        causes = core.validate_event(stored, reporter_field="reportingController") + _validate_series(stored)
        if not stored.event_time:
            causes.append(required("eventTime", "when it was first observed, as RFC 3339 with a fraction of a second"))
        if stored.type not in ("Normal", "Warning"):
            causes.append(invalid("type", stored.type, "must be Normal or Warning"))
        older = {
            "firstTimestamp": stored.first_timestamp,
            "lastTimestamp": stored.last_timestamp,
            "count": stored.count,
            "source": stored.source.component or stored.source.host,
        }
        return causes + [
            invalid(name, "", "belongs to the older API; leave it out") for name, set_ in older.items() if set_
        ]

    def validate_update(self, new: Event, old: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that changed and may not, and what is wrong in a changed series."""
        del cluster
        stored, before = to_stored(new), to_stored(old)
        causes = core.validate_event(stored, reporter_field="reportingController")
        if stored.series != before.series:
            causes += _validate_series(stored)
        return causes + [
            invalid(wire, "", "may not change; only metadata and series may")
            for name, wire in _FIXED.items()
            if getattr(stored, name) != getattr(before, name)
        ]


_FIXED = {
    "involved_object": "involvedObject",
    "reason": "reason",
    "message": "message",
    "source": "source",
    "first_timestamp": "firstTimestamp",
    "last_timestamp": "lastTimestamp",
    "count": "count",
    "type": "type",
    "event_time": "eventTime",
    "action": "action",
    "related": "related",
    "reporting_component": "reportingController",
    "reporting_instance": "reportingInstance",
}


def _validate_series(event: core.Event) -> list[Cause]:
    causes = []
    if event.series and event.series.count < 2:  # noqa: PLR2004 - a series is more than one
        causes.append(invalid("series.count", event.series.count, "must be at least 2"))
    if event.series and not event.series.last_observed_time:
        causes.append(required("series.lastObservedTime", "when it was last observed"))
    return causes


def _column(column: Column[core.Event]) -> Column[Event]:
    return Column(
        column.name,
        lambda event, now: column.cell(to_stored(event), now),
        column.type,
        column.format,
        column.description,
        column.priority,
    )


EVENTS_EVENT = Kind(
    group="events.k8s.io",
    version="v1",
    name="Event",
    plural="events",
    singular="event",
    namespaced=True,
    model=Event,
    schema="io.k8s.api.events.v1.Event",
    columns=tuple(_column(column) for column in core.EVENT_COLUMNS),
    strategy=EventsEventStrategy(),
    short_names=("ev",),
    selectable={
        "regarding.kind": lambda event: event.regarding.kind,
        "regarding.namespace": lambda event: event.regarding.namespace,
        "regarding.name": lambda event: event.regarding.name,
        "regarding.uid": lambda event: event.regarding.uid,
        "regarding.apiVersion": lambda event: event.regarding.api_version,
        "regarding.resourceVersion": lambda event: event.regarding.resource_version,
        "regarding.fieldPath": lambda event: event.regarding.field_path,
        "reason": lambda event: event.reason,
        "reportingController": lambda event: event.reporting_controller,
        "type": lambda event: event.type,
    },
    create_on_update=True,
    view=View(core.EVENT.key, from_stored, to_stored),
)
