"""The declaration of Event (events.k8s.io/v1)."""

from app.domain.declarations.event import EVENT, EVENT_COLUMNS
from app.domain.declarations.kind import Column, Kind, View
from app.domain.kinds import event as core
from app.domain.kinds.events_event import Event
from app.domain.rules.events_event import EventsEventStrategy, from_stored, to_stored


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
    columns=tuple(_column(column) for column in EVENT_COLUMNS),
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
    view=View(EVENT.key, from_stored, to_stored),
)
