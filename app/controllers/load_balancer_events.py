"""Events about load balancers: that one is being made, is there, was changed or is gone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from app.controllers.controller import Controller
from app.controllers.event_recorder import EventRecorder, Note
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import shared_object
from app.domain.documents.peeking import is_deleting, mentions
from app.domain.errors import RetryError
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.needs import LOAD_BALANCER
from app.domain.wanted.load_balancer_news import load_balancer_news
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writes import LeaseGuard


class LoadBalancerEvents(Controller[Change]):
    """Tells of each change of a Service what it means for its load balancer. A key is the change itself.

    What happens while nobody owns the concern is not told: an Event is a hint, and the LoadBalancer says how it is.
    """

    name = "load-balancer-events"
    kinds = (SERVICE.key,)
    resync = 3600.0

    def __init__(self, recorder: EventRecorder, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._recorder = recorder
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Change]:
        """Changes of Services that are, or were, of type LoadBalancer, if anything can follow from them."""
        return [change for change in changes if any(map(_balanced, _states(change))) and change.alters_content]

    def all_keys(self) -> Iterable[Change]:
        """None: nothing is told again."""
        return ()

    def object_of(self, key: Change) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, key.entry.namespace, key.entry.name)

    async def reconcile(self, keys: Sequence[Change], lease: LeaseGuard) -> Mapping[Change, RetryError]:
        """Write the Events."""
        del lease
        await self._recorder.record(note for change in keys for note in self._notes(change))
        return {}

    def _notes(self, change: Change) -> Iterator[Note]:
        namespace = self._mirror.get(NAMESPACE.key, "", change.entry.namespace)
        if namespace is None or is_deleting(namespace.wire):
            return  # It takes no new objects.
        before, after = _decoded(change.before), _decoded(change.after)
        about = after or before
        if about is not None:
            for news in load_balancer_news(before, after, self._cluster()):
                yield Note(about, "Normal", news.reason, news.message)


def _states(change: Change) -> Iterator[Entry]:
    yield change.entry
    if change.previous is not None:
        yield change.previous


def _balanced(entry: Entry) -> bool:
    return mentions(entry.wire, LOAD_BALANCER)


def _decoded(entry: Entry | None) -> Service | None:
    return None if entry is None else shared_object(SERVICE, entry.wire)
