"""The addresses that Services can ask for by name, as the objects of this moment say."""

from collections.abc import Sequence
from uuid import UUID

from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.encoding import decode_object
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.service.frontends import frontend_of
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

_HEX = "0123456789abcdef"


class NamedAddresses:
    """As current as the mirror, to which it subscribes."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._by_name: dict[tuple[str, str], StaticAddress] = {}
        self._by_address: dict[str, StaticAddress] = {}
        mirror.subscribe(self._changed, self._reload, [STATIC_ADDRESS.key])
        self._reload()

    def static(self, namespace: str, name: str) -> StaticAddress | None:
        """A StaticAddress by its name; nobody changes it."""
        return self._by_name.get((namespace, name))

    def static_at(self, address: str) -> StaticAddress | None:
        """The StaticAddress that keeps an address, given in canonical text."""
        return self._by_address.get(address)

    def given(self, namespace: str, base: str, family: str) -> str:
        """The address that a Service of the namespace has, by the base of the Service's names; "" if there is none."""
        for uid in _uids(base):
            entry = self._mirror.by_uid(uid)
            if entry is not None and (entry.kind, entry.namespace) == (SERVICE.key, namespace):
                return frontend_of(decode_object(SERVICE, entry.wire), family)
        return ""

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._forget(change.entry)
            if change.type != "DELETED":
                self._learn(change.entry)

    def _reload(self) -> None:
        self._by_name.clear()
        self._by_address.clear()
        for entry in self._mirror.list(STATIC_ADDRESS.key, None):
            self._learn(entry)

    def _learn(self, entry: Entry) -> None:
        known = decode_object(STATIC_ADDRESS, entry.wire)
        self._by_name[entry.namespace, entry.name] = known
        if known.status.address:
            self._by_address[known.status.address] = known

    def _forget(self, entry: Entry) -> None:
        known = self._by_name.pop((entry.namespace, entry.name), None)
        if known is not None and self._by_address.get(known.status.address) is known:
            del self._by_address[known.status.address]


def _uids(base: str) -> list[str]:
    """The uids that a base may stand for: Azure cuts the last digit."""
    digits = base[1:]
    if len(digits) != len(UUID(int=0).hex) - 1 or any(each not in _HEX for each in digits):
        return []
    return [str(UUID(digits + last)) for last in _HEX]
