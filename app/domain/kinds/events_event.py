"""Event (events.k8s.io/v1): the newer shape of the same stored events (KEP-383).

An event is stored in the shape of core/v1, and this kind is a view of it. Every field has its counterpart, so nothing
is lost either way.
"""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Time, Wire, null
from app.domain.kinds import event as core
from app.domain.kinds.meta import ObjectReference


class EventSeries(Wire):
    """An event that happened several times, as one object.

    Attributes:
        count: How often it happened, up to the last time.
        last_observed_time: When it happened last.
    """

    required = ("count", "last_observed_time")

    count: Int32 = field(default_factory=int)
    last_observed_time: MicroTime | None = field(default_factory=null)


class Event(KubeObject):
    """Something that happened to an object.

    Attributes:
        event_time: When it happened first.
        series: How often it happened. Left out if it happened once.
        reporting_controller: The reporter, such as kubernetes.io/kube-proxy.
        reporting_instance: The instance of the reporter, such as the name of its node.
        action: What was done or failed, as one word in CamelCase.
        reason: Why it happened, as one word in CamelCase.
        regarding: The object that the event happened to.
        related: A second object that the event is about.
        note: What happened, for people; at most 1024 bytes.
        type: Normal or Warning.
        deprecated_source: `source` of core/v1.
        deprecated_first_timestamp: `firstTimestamp` of core/v1.
        deprecated_last_timestamp: `lastTimestamp` of core/v1.
        deprecated_count: `count` of core/v1.
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
