"""Event (core/v1): something that happened to an object, kept for a while. Both Event APIs store this shape."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Time, Wire, null
from app.domain.kinds.meta import ObjectReference


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
