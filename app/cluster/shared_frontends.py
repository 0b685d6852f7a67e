"""The Services that take traffic at the same addresses, as the objects of this moment say."""

from collections.abc import Iterable, Sequence

from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import ingress_addresses_of
from app.domain.kinds.service import Service
from app.domain.rules.addresses import canonical
from app.domain.wanted.load_balancer import first_at
from app.mirror.entry import Change, Entry, NamespacedName
from app.mirror.mirror import Mirror


class FrontendHolders:
    """As current as the mirror, to which it subscribes. It remembers uids alone: there may be a million Services."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._uids: dict[str, tuple[str, ...]] = {}
        # The answers that were given since one of the Services at the address changed.
        self._first: dict[str, Service | None] = {}
        mirror.subscribe(self._changed, self._reload, [SERVICE.key])
        self._reload()

    def first_at(self, address: str) -> Service | None:
        """Of several Services at an address, given in canonical text, the first; None unless there are several."""
        uids = self._uids.get(address, ())
        if len(uids) < 2:  # noqa: PLR2004 - several
            return None
        if address not in self._first:
            entries = (self._mirror.by_uid(uid) for uid in uids)
            services = (decode_object(SERVICE, entry.wire) for entry in entries if entry is not None)
            self._first[address] = first_at(address, services)
        return self._first[address]

    def names_at(self, address: str) -> Iterable[NamespacedName]:
        """The namespaces and names of all Services at an address, given in canonical text."""
        entries = (self._mirror.by_uid(uid) for uid in self._uids.get(address, ()))
        return [(entry.namespace, entry.name) for entry in entries if entry is not None]

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            before, after = _addresses(change.before), _addresses(change.after)
            for address in (*before, *after):
                self._first.pop(address, None)
            if before != after:
                self._forget(change.entry.uid, before)
                self._learn(change.entry.uid, after)

    def _learn(self, uid: str, addresses: Iterable[str]) -> None:
        for address in addresses:
            held = self._uids.get(address, ())
            if uid not in held:
                self._uids[address] = (*held, uid)

    def _forget(self, uid: str, addresses: Iterable[str]) -> None:
        for address in addresses:
            left = tuple(each for each in self._uids.pop(address, ()) if each != uid)
            if left:
                self._uids[address] = left

    def _reload(self) -> None:
        self._uids, self._first = {}, {}
        for entry in self._mirror.list(SERVICE.key, None):
            self._learn(entry.uid, _addresses(entry))


def _addresses(entry: Entry | None) -> list[str]:
    return [] if entry is None else [canonical(each) for each in ingress_addresses_of(entry.wire)]
