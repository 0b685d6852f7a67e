"""The rules of an Event (core/v1)."""

from app.domain.errors import Cause, invalid, invalid_for, required
from app.domain.kinds.event import Event
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import qualified_name_problems
from app.domain.rules.strategy import Strategy

_SHORT_TEXT_LIMIT, _MESSAGE_LIMIT = 128, 1024
"""Bytes of `reportingInstance`, `action` and `reason`, and of `message`, in an event with an eventTime."""


_CLUSTER_EVENT_NAMESPACES = ("default", "kube-system")
"""Namespaces that events about objects without a namespace may be in."""


class EventStrategy(Strategy[Event]):
    """Of events in the older form (without `eventTime`) only the namespace is checked, as older clients expect."""

    def validate_create(self, new: Event, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return validate_event(new, reporter_field="reportingComponent")


def validate_event(event: Event, *, reporter_field: str) -> list[Cause]:
    """The rules of every event, in either API.

    Args:
        event: The event in its stored shape.
        reporter_field: The name of the reporting controller's field in the API in use.
    """
    namespace, about = event.metadata.namespace or "", event.involved_object.namespace
    if not event.event_time:
        matches = about == namespace if about else namespace in ("", "default")
        return [] if matches else [_other_namespace(about, namespace)]
    causes = []
    if not about and namespace not in _CLUSTER_EVENT_NAMESPACES:
        causes.append(_other_namespace(about, namespace))
    if not event.reporting_component:
        causes.append(required(reporter_field, "give the name of the controller that reports the event"))
    problems = qualified_name_problems(event.reporting_component)
    causes += invalid_for(reporter_field, event.reporting_component, problems)
    texts = {"reportingInstance": event.reporting_instance, "action": event.action, "reason": event.reason}
    for name, value in texts.items():
        if not value:
            causes.append(required(name, "an event with an eventTime must have a value here"))
        elif len(value.encode()) > _SHORT_TEXT_LIMIT:
            causes.append(invalid(name, "", f"must be no more than {_SHORT_TEXT_LIMIT} characters"))
    if len(event.message.encode()) > _MESSAGE_LIMIT:
        causes.append(invalid("message", "", f"must be no more than {_MESSAGE_LIMIT} characters"))
    return causes


def _other_namespace(about: str, namespace: str) -> Cause:
    return invalid("involvedObject.namespace", about, f"must be the namespace of the event, {namespace!r}")
