"""Event (core/v1): something that happened to an object, kept for a while. Both Event APIs store this shape."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Time, Wire, null
from app.domain.kinds.meta import ObjectReference


class EventSource(Wire):
    """The reporter of an event, in the older form.

    Attributes:
        component: The program.
        host: The node that the program runs on.
    """

    component: str = ""
    host: str = ""


class EventSeries(Wire):
    """An event that happened several times, as one object.

    Attributes:
        count: How often it happened, up to the last time.
        last_observed_time: When it happened last.
    """

    count: Int32 = 0
    last_observed_time: MicroTime | None = field(default_factory=null)


class Event(KubeObject):
    """Something that happened to an object.

    Attributes:
        involved_object: The object that the event happened to.
        reason: Why it happened, as one word in CamelCase.
        message: What happened, for people.
        source: The reporter. Newer events have `reportingComponent` instead.
        first_timestamp: When it happened first. Newer events have `eventTime` instead.
        last_timestamp: When it happened last. Newer events have `series` instead.
        count: How often it happened. Newer events have `series` instead.
        type: Normal or Warning.
        event_time: When it happened first.
        series: How often it happened. Left out if it happened once.
        action: What was done or failed, as one word in CamelCase.
        related: A second object that the event is about.
        reporting_component: The reporter, such as kubernetes.io/kube-proxy.
        reporting_instance: The instance of the reporter, such as the name of its node.
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
