"""Public DNS names: each Service gets those that it asks for, as far as zones allow and nobody else has them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.cluster.zone_descriptions import ZONE_KINDS
from app.controllers.controller import Controller, ObjectKey, stored_entries
from app.controllers.own_writes import conflict, update, write_in_turn
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.encoding import decode_object, encode_body, shared_object
from app.domain.documents.peeking import mentions, mentions_prefix
from app.domain.errors import RetryError
from app.domain.kinds.service import Service
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_labels import label_claim
from app.domain.rules.service.name_wish import EXTERNAL_DNS, LABEL, NAMES
from app.domain.rules.service.public_names import DNS_LABEL, asks_for_names, name_claims, settle_names
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import ClaimHeld, Committed, LeaseGuard, Missing, Outcome

_KEYS = (EXTERNAL_DNS, DNS_LABEL, NAMES, LABEL)


class PublicNames(Controller[ObjectKey]):
    """Writes which names a Service has.

    It is not done with the allocation, so that a name that is taken holds up no address, and since zones come and go
    while Services stay.
    """

    name = "public-names"
    kinds = (SERVICE.key, STATIC_ADDRESS.key, *ZONE_KINDS)
    resync = 300.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._zones = cluster().zones
        self._asking: set[ObjectKey] = set()
        # Who has which claim, in words, and which Services wait for it.
        self._holders: dict[str, str] = {}
        self._waiting: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self._released: set[str] = set()
        self._everything = False

    async def learn(self) -> None:
        """Learn who asks for names, and who has which."""
        self._asking.clear()
        self._holders.clear()
        async for entry in stored_entries(self._mirror, [SERVICE.key]):
            if _is_concerned(entry):
                self._note(decode_object(SERVICE, entry.wire))

    def observe(self, changes: Sequence[Change]) -> None:
        """Keep that current."""
        self._released = set()
        zones = self._cluster().zones
        self._everything = zones != self._zones
        self._zones = zones
        for change in changes:
            if change.entry.kind == STATIC_ADDRESS.key:
                self._note_static(change)
            if change.entry.kind != SERVICE.key:
                continue
            before, after = change.before, change.after
            if before is not None and _is_concerned(before):
                self._forget(shared_object(SERVICE, before.wire))
            if after is not None and _is_concerned(after):
                self._note(shared_object(SERVICE, after.wire))

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Services that ask for names and changed, or wait for what was released; all if the zones changed."""
        if self._everything:
            return self.all_keys()
        changed = {(each.entry.namespace, each.entry.name) for each in changes if each.entry.kind == SERVICE.key}
        freed = (key for claim in self._released for key in self._waiting.pop(claim, ()))
        return {*(changed & self._asking), *freed}

    def all_keys(self) -> Iterable[ObjectKey]:
        """All Services that ask for names."""
        return list(self._asking)

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def let_go(self) -> None:
        """Another owner will know who waits."""
        self._waiting.clear()

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write the names of Services, each as soon as nobody else has what it is to get."""
        await self._mirror.fresh()
        failures: dict[ObjectKey, RetryError] = {}
        found: dict[str, str] = {}
        while keys:
            outcomes = await self._attempt(keys, found, lease)
            failures |= {
                key: conflict(each)
                for key, each in outcomes.items()
                if not isinstance(each, Committed | Missing | ClaimHeld)
            }
            held = {key: each for key, each in outcomes.items() if isinstance(each, ClaimHeld)}
            news = {
                each.claim.key: _in_words(each.owner_kind, each.owner_namespace, each.owner_name)
                for each in held.values()
            }
            failures |= {key: conflict(each) for key, each in held.items() if each.claim.key in found}
            keys = [key for key, each in held.items() if each.claim.key not in found]
            found |= news
        return failures

    async def _attempt(
        self, keys: Sequence[ObjectKey], found: Mapping[str, str], lease: LeaseGuard
    ) -> Mapping[ObjectKey, Outcome]:
        """Write Services once; `found` are the holders that earlier attempts ran into."""
        writes, promised = {}, {**found, **self._holders}
        cluster = self._cluster()
        for key in keys:
            entry = self.object_of(key)
            if entry is None:
                continue
            service = decode_object(SERVICE, entry.wire)
            before = encode_body(service)
            settle_names(service, cluster, partial(self._other, promised, key))
            promised |= {claim.key: _in_words(SERVICE.key, *key) for claim in name_claims(service)}
            if encode_body(service) != before:
                writes[key] = update(SERVICE, service, entry.revision, cluster, lease)
        outcomes = await write_in_turn(self._writer, list(writes.values()))
        return dict(zip(writes, outcomes, strict=True))

    def _other(self, holders: Mapping[str, str], key: ObjectKey, claim: Claim) -> str:
        """Who else has what a Service asks for; then it waits for that."""
        holder = holders.get(claim.key, "")
        if holder in ("", _in_words(SERVICE.key, *key)):
            return ""
        self._waiting[claim.key].add(key)
        return holder

    def _note(self, service: Service) -> None:
        key = (service.metadata.namespace or "", service.metadata.name)
        if asks_for_names(service):
            self._asking.add(key)
        for claim in name_claims(service):
            self._holders[claim.key] = _in_words(SERVICE.key, *key)
            self._released.discard(claim.key)

    def _note_static(self, change: Change) -> None:
        """A StaticAddress that goes, or has another label, gives its label back."""
        label, after = (
            "" if entry is None else decode_object(STATIC_ADDRESS, entry.wire).spec.dns_label
            for entry in (change.before, change.after)
        )
        if label and label != after:
            self._released.add(label_claim(label, "").key)

    def _forget(self, service: Service) -> None:
        key = (service.metadata.namespace or "", service.metadata.name)
        self._asking.discard(key)
        for claim in name_claims(service):
            if self._holders.get(claim.key) == _in_words(SERVICE.key, *key):
                del self._holders[claim.key]
                self._released.add(claim.key)


def _is_concerned(entry: Entry) -> bool:
    return mentions(entry.wire, "annotations") and any(mentions_prefix(entry.wire, key) for key in _KEYS)


def _in_words(kind: str, namespace: str, name: str) -> str:
    word = "Service" if kind == SERVICE.key else "StaticAddress" if kind == STATIC_ADDRESS.key else kind
    return f'the {word} "{namespace}/{name}"'
