"""One Envoy's side of the discovery protocol, without any I/O: what it has, what it is sent next, what it refused."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from app.mirror.entry import NamespacedName
from app.serving.resources import ASSIGNMENT, CLUSTER, LISTENER, TYPES, Resource
from app.serving.xds.rejections import Rejection, culprits
from app.serving.xds.view import View

_RESOURCES_AT_ONCE = 200
"""Resources of one response: a rejection concerns no more than these, and none is so large that it holds others up."""

Names = dict[str, int]
"""Names of resources with the revision since which the Envoy lacks what they are now."""


@dataclass(slots=True)
class Sent:
    """A response that was not answered yet: for each resource the version, and the one that the Envoy had before."""

    versions: dict[str, tuple[str, str | None]]
    since: int
    names: Names
    removed: tuple[str, ...] = ()


@dataclass(slots=True)
class TypeState:
    """What one Envoy has of one type.

    Attributes:
        asked: Whether it has asked for the type.
        wildcard: Whether it wants every resource; else those in `names`.
        answered: Whether it was sent anything: it waits for the first answer, and be it that there is nothing.
        names: The resources that it named.
        known: The versions that it has, or was sent.
        missing: What it lacks and is sent as soon as may be.
        alone: Groups of resources of which one is to blame for a rejection; each is sent as a response of its own.
        again: Resources that are sent although the Envoy has them.
        sent: Responses that were not answered, by nonce.
        rejected: What it does not take.
    """

    asked: bool = False
    wildcard: bool = False
    answered: bool = False
    names: set[str] = field(default_factory=set)
    known: dict[str, str] = field(default_factory=dict)
    missing: Names = field(default_factory=dict)
    alone: list[Names] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    sent: dict[str, Sent] = field(default_factory=dict)
    rejected: dict[str, Rejection] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Whether the Envoy wants to know of a resource."""
        return self.asked and (self.wildcard or name in self.names)


@dataclass(frozen=True, slots=True)
class Batch:
    """The resources of one response.

    Attributes:
        type_url: Their type.
        nonce: By which the Envoy answers.
        changed: Resources that are new or changed.
        absent: Names that the Envoy asked for and that stand for nothing; it has to be told.
        removed: Names of resources that it had and that are gone.
    """

    type_url: str
    nonce: str
    changed: tuple[Resource, ...]
    absent: tuple[str, ...]
    removed: tuple[str, ...]


class Session:
    """What one Envoy has been sent. It follows a view, and `batches` says what is to be sent next.

    The order is that of make before break: clusters, their endpoints, then the listeners that refer to them; what is
    removed goes the other way round. A listener waits until the Envoy has been sent the endpoints of its clusters.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._types = {each: TypeState() for each in TYPES}
        self._nonces = 0
        self.pushes = self.rejections = 0

    def subscribe(self, type_url: str, names: Iterable[str], *, wildcard: bool) -> None:
        """The Envoy asks for resources, perhaps for some that it asked for before: it is sent those again.

        Args:
            type_url: Their type.
            names: Their names.
            wildcard: Whether it asks for all there are.
        """
        state, new = self._types[type_url], list(names)
        if state.asked:
            state.again.update(new)
        state.asked = True
        state.names.update(new)
        state.missing.update(dict.fromkeys(new, 0))
        if wildcard and not state.wildcard:
            state.wildcard = True
            for name in (*state.known, *self._view.resources[type_url]):
                if self._version(type_url, name) != state.known.get(name):
                    state.missing[name] = 0

    def unsubscribe(self, type_url: str, names: Iterable[str]) -> None:
        """The Envoy wants to know of resources no more."""
        state = self._types[type_url]
        for name in names:
            state.names.discard(name)
            if not state.wildcard:
                for known in (state.known, state.missing, state.rejected):
                    known.pop(name, None)
                state.again.discard(name)

    def has(self, type_url: str, versions: Iterable[tuple[str, str]]) -> None:
        """The Envoy says, as it connects, what it has from an earlier connection."""
        self._types[type_url].known.update(versions)

    def accept(self, type_url: str, nonce: str) -> None:
        """The Envoy took a response (an ACK)."""
        state = self._types[type_url]
        sent = state.sent.pop(nonce, None)
        if sent is not None:
            for name in sent.versions:
                state.rejected.pop(name, None)

    def reject(self, type_url: str, nonce: str, message: str, now: float) -> None:
        """The Envoy did not take a response, or parts of it (a NACK).

        Args:
            type_url: Of its resources.
            nonce: Of the response.
            message: Why, in Envoy's words.
            now: In seconds.
        """
        state = self._types[type_url]
        sent = state.sent.pop(nonce, None)
        if sent is None or not sent.versions:
            return
        self.rejections += 1
        blamed = culprits(message, sent.versions)
        for name in blamed or sent.versions:
            version, before = sent.versions[name]
            _take_back(state, name, version, before)
        for name, words in blamed.items():
            version = sent.versions[name][0]
            state.rejected[name] = Rejection.after(state.rejected.get(name), version, words, now)
        if not blamed:
            names = list(sent.names.items())
            half = len(names) // 2
            state.alone += [dict(names[:half]), dict(names[half:])]

    def has_now(self, type_url: str) -> set[tuple[str, str]]:
        """Names and versions of what the Envoy has, if it takes what it was sent."""
        return set(self._types[type_url].known.items())

    def had_before(self, type_url: str) -> set[tuple[str, str]]:
        """Names and versions of what it has, if it takes none of what was not answered yet."""
        sent = self._types[type_url].sent.values()
        return {(name, before) for each in sent for name, (_, before) in each.versions.items() if before is not None}

    def changed(self, type_url: str, name: str, revision: int) -> None:
        """A resource of the view came, changed or went."""
        state = self._types[type_url]
        if state.wants(name):
            state.missing.setdefault(name, revision)

    def retry(self, now: float) -> float | None:
        """Take up again what was rejected long enough ago; answers when to look again, None if nothing waits."""
        upcoming = []
        for type_url, state in self._types.items():
            for name, rejection in state.rejected.items():
                if name in state.missing or any(name in group for group in state.alone):
                    continue
                if rejection.version != self._version(type_url, name) or rejection.retry_at <= now:
                    state.alone.append({name: self._view.revision + 1})
                else:
                    upcoming.append(rejection.retry_at)
        return min(upcoming, default=None)

    def batches(self) -> Iterator[Batch]:
        """What is to be sent now, in order; each is taken as sent."""
        for type_url in TYPES:
            yield from self._updates(type_url)
        for type_url in (LISTENER, CLUSTER):
            yield from self._removals(type_url)

    def watermark(self) -> int:
        """The greatest revision up to which the Envoy took everything, but for what it rejected; 0 at the beginning."""
        if not all(self._types[each].asked for each in (CLUSTER, LISTENER)):
            return 0
        waiting = [sent.since for state in self._types.values() for sent in state.sent.values()]
        for type_url, state in self._types.items():
            for group in (state.missing, *state.alone):
                waiting += [since for name, since in group.items() if not self._is_refused(type_url, name)]
        return max(0, min([self._view.revision, *(since - 1 for since in waiting)]))

    def refused(self) -> dict[tuple[str, str], tuple[NamespacedName, str]]:
        """What the Envoy does not take, by type and name: the Service, and Envoy's words."""
        found = {}
        for type_url, state in self._types.items():
            for name, rejection in state.rejected.items():
                current = self._view.get(type_url, name)
                if current is not None:
                    found[type_url, name] = (current.owner, rejection.message)
        return found

    @property
    def offered(self) -> int:
        """The revision up to which the view knows all changes."""
        return self._view.revision

    @property
    def is_warming(self) -> bool:
        """Whether only answers about clusters are outstanding: Envoy holds them back while a cluster warms up."""
        waiting = {type_url for type_url, state in self._types.items() if state.sent}
        return waiting == {CLUSTER}

    def _updates(self, type_url: str) -> Iterator[Batch]:
        state = self._types[type_url]
        groups, state.alone = state.alone, []
        ready = {name: since for name, since in state.missing.items() if self._may_be_sent(type_url, name)}
        for name in ready:
            del state.missing[name]
        items = list(ready.items())
        groups += [dict(items[i : i + _RESOURCES_AT_ONCE]) for i in range(0, len(items), _RESOURCES_AT_ONCE)]
        for group in groups:
            batch = self._batch(type_url, group)
            if batch is not None:
                yield batch
        if state.wildcard and not state.answered:
            yield Batch(type_url, self._note(state, Sent({}, 0, {})), (), (), ())

    def _batch(self, type_url: str, group: Names) -> Batch | None:
        """The response that brings the Envoy up to date with some resources; None if it is."""
        state, view = self._types[type_url], self._view
        changed = [each for name in group if (each := view.get(type_url, name)) and self._is_news(state, each)]
        # What was there and is gone is not told: the Envoy asks no more once the cluster has gone.
        absent = [name for name in group if name in state.names and view.get(type_url, name) is None]
        absent = [name for name in absent if name in state.again or name not in state.known]
        state.again.difference_update(group)
        _forgive(state, group.keys() - {each.name for each in changed})
        if not changed and not absent:
            return None
        versions = {each.name: (each.version, state.known.get(each.name)) for each in changed}
        versions |= {name: ("", state.known.get(name)) for name in absent}
        state.known.update({name: version for name, (version, _) in versions.items()})
        if type_url == CLUSTER:
            self._send_endpoints_again(each.name for each in changed)
        names = {name: group[name] for name in versions}
        nonce = self._note(state, Sent(versions, min(names.values()), names))
        return Batch(type_url, nonce, tuple(changed), tuple(absent), ())

    def _is_news(self, state: TypeState, each: Resource) -> bool:
        return each.name in state.again or state.known.get(each.name) != each.version

    def _send_endpoints_again(self, clusters: Iterable[str]) -> None:
        """A changed cluster waits for endpoints, 15 seconds long, although the Envoy has them."""
        state = self._types[ASSIGNMENT]
        for name in clusters:
            if name in state.names:
                state.again.add(name)
                state.missing.setdefault(name, self._view.revision + 1)

    def _removals(self, type_url: str) -> Iterator[Batch]:
        state = self._types[type_url]
        if not self._types[LISTENER].asked:
            return  # the Envoy has just connected again: listeners go before the clusters that they refer to
        gone = [name for name in state.missing if name not in state.names and self._view.get(type_url, name) is None]
        known = tuple(name for name in gone if state.known.pop(name, None) is not None)
        since = min((state.missing.pop(name) for name in gone), default=0)
        for name in gone:
            state.rejected.pop(name, None)
        if known:
            yield Batch(type_url, self._note(state, Sent({}, since, {}, known)), (), (), known)

    def _note(self, state: TypeState, sent: Sent) -> str:
        self._nonces += 1
        self.pushes += 1
        nonce = str(self._nonces)
        state.sent[nonce] = sent
        state.answered = True
        return nonce

    def _may_be_sent(self, type_url: str, name: str) -> bool:
        """Whether it is a resource, and nothing holds it back; what is gone is removed in another order."""
        found = self._view.get(type_url, name)
        if found is None:
            return name in self._types[type_url].names
        if self._is_refused(type_url, name):
            return False
        return type_url != LISTENER or all(map(self._is_there, found.needs))

    def _is_refused(self, type_url: str, name: str) -> bool:
        """Whether a resource, or a cluster that it needs, is one that the Envoy does not take as it is."""
        found = self._view.get(type_url, name)
        if found is None:
            return False
        rejection = self._types[type_url].rejected.get(name)
        if rejection is not None and rejection.version == found.version:
            return True
        return any(self._is_refused(CLUSTER, each) and not self._is_there(each) for each in found.needs)

    def _is_there(self, cluster: str) -> bool:
        """Whether the Envoy has been sent a cluster and its endpoints."""
        clusters = self._types[CLUSTER]
        return not clusters.asked or (cluster in clusters.known and cluster in self._types[ASSIGNMENT].known)

    def _version(self, type_url: str, name: str) -> str | None:
        found = self._view.get(type_url, name)
        return None if found is None else found.version


def _take_back(state: TypeState, name: str, refused: str, before: str | None) -> None:
    """An Envoy that refuses a version goes on with the one before, and so do responses that it has yet to answer."""
    if state.known.get(name) == refused:
        if before is None:
            state.known.pop(name)
        else:
            state.known[name] = before
    for sent in state.sent.values():
        version, had = sent.versions.get(name, ("", None))
        if had == refused:
            sent.versions[name] = (version, before)


def _forgive(state: TypeState, unchanged: AbstractSet[str]) -> None:
    """A resource that is again what the Envoy went on with is not sent, so no answer ends its rejection."""
    for name in unchanged & state.rejected.keys():
        if not any(name in sent.versions for sent in state.sent.values()):
            del state.rejected[name]
