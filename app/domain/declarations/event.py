"""The declaration of Event (core/v1)."""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.event import Event
from app.domain.rules.event import EventStrategy
from app.domain.timestamps import age


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
