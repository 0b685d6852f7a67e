"""The rules of an Event (events.k8s.io/v1), and how it is stored."""

from typing import Any

from app.domain.errors import FIELD_IS_IMMUTABLE, Cause, invalid, required
from app.domain.kinds import event as core
from app.domain.kinds.events_event import Event, EventSeries
from app.domain.rules.cluster import Cluster
from app.domain.rules.event import validate_event
from app.domain.rules.strategy import Strategy

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
    """The newer API requires complete events. Only metadata and the series can change.

    Causes name fields as in core/v1, like those of Kubernetes.
    """

    def validate_create(self, new: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in a new event."""
        del cluster
        stored = to_stored(new)
        causes = validate_event(stored, reporter_field="reportingController") + _validate_series(stored)
        if not stored.event_time:
            causes.append(required("eventTime", "give the time of the event, as RFC 3339 with a fraction of a second"))
        if stored.type not in ("Normal", "Warning"):
            causes.append(invalid("type", stored.type, "must be Normal or Warning"))
        older = {
            "firstTimestamp": stored.first_timestamp,
            "lastTimestamp": stored.last_timestamp,
            "count": stored.count,
            "source": stored.source.component or stored.source.host,
        }
        return causes + [
            invalid(name, "", "this field belongs to the older API; leave it out")
            for name, set_ in older.items()
            if set_
        ]

    def validate_update(self, new: Event, old: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that cannot change and did, and what is wrong in a changed series."""
        del cluster
        stored, before = to_stored(new), to_stored(old)
        causes = validate_event(stored, reporter_field="reportingController")
        if stored.series != before.series:
            causes += _validate_series(stored)
        return causes + [
            invalid(wire, "", f"{FIELD_IS_IMMUTABLE}; only metadata and series may change")
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
        causes.append(required("series.lastObservedTime", "give the time when the event was last observed"))
    return causes
