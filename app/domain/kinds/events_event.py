"""Event (events.k8s.io/v1): the newer shape of the same stored events (KEP-383).

One store: an event is kept as core/v1 has it, under the key `events`, and this declaration is a view of it. Every
field has its counterpart, so nothing is lost either way.
"""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Int32, MicroTime, Time, Wire, null
from app.domain.kinds import event as core
from app.domain.kinds.meta import ObjectReference


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
