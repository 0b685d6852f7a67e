"""The verbs get and list of AddressHistory: pages of the ledger as objects."""

from typing import Any

from app.domain.declarations.address_history import ADDRESS_HISTORY
from app.domain.declarations.catalog import Kinds
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import BadRequest
from app.domain.kinds.address_history import AddressHistory, AddressHistorySpec
from app.domain.rules.addresses import canonical, family_of
from app.domain.timestamps import format_micro_time, format_time
from app.mirror.entry import Entry
from app.registry.options import ListOptions, Page
from app.registry.paging import ContinueToken, decode_continue
from app.registry.selection import Selection
from app.store.address_ledger import AddressLedger, ClaimsWanted, HeldClaim

_MOST = 5_000
"""Objects on a page, whatever limit is asked for. The page says where the next one begins."""

_AT_ONCE = 500
"""Claims that are read together at least: a selector may leave few of them."""

_LOOKED_AT = 20_000
"""Claims that are looked at for one page where a selector has to be evaluated for each."""

_RESOURCES = {
    "cluster_ips": "ClusterIP",
    "node_ports": "NodePort",
    "lb_addresses": "LoadBalancerAddress",
    "lb_ports": "LoadBalancerPort",
}


class AddressHistories:
    """Shows the ledger. It is as current as the database."""

    def __init__(self, ledger: AddressLedger, kinds: Kinds) -> None:
        self._ledger = ledger
        self._kinds = kinds

    async def get(self, name: str, revision: int) -> Entry | None:
        """One claim by its number, None if there is none.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        number = _number(name)
        found = None if number is None else await self._ledger.find(number)
        return None if found is None else self._entry(found, revision)

    async def list(self, options: ListOptions, revision: int) -> Page:
        """A page of claims in the order in which they were taken.

        Raises:
            BadRequest: A selector or the token is refused.
            ServiceUnavailable: The database cannot be reached.
        """
        if options.resource_version_match == "Exact":
            raise BadRequest("the history of addresses can only be read as it is now: leave resourceVersionMatch out")
        selection = Selection(ADDRESS_HISTORY, options.label_selector, options.field_selector, options.search)
        limit = min(options.limit or _MOST, _MOST)
        start = 0
        if options.continue_token:
            start = _number(decode_continue(options.continue_token).name) or 0
        wanted = self._wanted(selection)
        if wanted is None:
            return Page([], revision)
        found: list[Entry] = []
        looked_at, last, more, at_once = 0, start, True, max(limit, _AT_ONCE) + 1
        while more and len(found) <= limit and looked_at < _LOOKED_AT:
            claims = await self._ledger.page(wanted, last, at_once)
            more = len(claims) == at_once
            looked_at += len(claims)
            last = claims[-1].number if claims else last
            shown = (self._entry(claim, revision) for claim in claims)
            found += (each for each in shown if selection.matches(each))
        return _page(found, limit, last, revision, more=more)

    def _entry(self, claim: HeldClaim, revision: int) -> Entry:
        kind = self._kinds.by_key.get(claim.kind)
        name = str(claim.number)
        shown = AddressHistory(
            api_version=ADDRESS_HISTORY.api_version,
            kind=ADDRESS_HISTORY.name,
            metadata=ObjectMeta(name=name, creation_timestamp=format_time(claim.since)),
            spec=AddressHistorySpec(
                resource=_RESOURCES[claim.table],
                address=claim.address or "",
                protocol=claim.protocol or "",
                port=claim.port or 0,
                kind=claim.kind if kind is None else kind.name,
                namespace=claim.namespace,
                name=claim.name,
                uid=claim.uid,
                since=format_micro_time(claim.since),
                until=None if claim.until is None else format_micro_time(claim.until),
            ),
        )
        return Entry(ADDRESS_HISTORY.key, "", name, "", revision, wire_bytes(encode_body(shown), revision))

    def _wanted(self, selection: Selection) -> ClaimsWanted | None:
        """What the database is asked for; None where nothing can be found."""
        asked: dict[str, Any] = {each.field: each.value for each in selection.equalities()}
        kind = asked.get("kind")
        keys = [each.key for each in self._kinds.all if each.name == kind]
        if kind is not None and not keys:
            return None
        address = asked.get("address")
        if address and not family_of(address):
            return None
        return ClaimsWanted(
            # "" asks for what has no address, which no index knows.
            address=canonical(address) if address else None,
            namespace=asked.get("namespace"),
            name=asked.get("name"),
            # Two kinds may have one name in two groups: then the selector decides.
            kind=keys[0] if len(keys) == 1 else None,
        )


def _page(found: list[Entry], limit: int, last: int, revision: int, *, more: bool) -> Page:
    if len(found) > limit:
        found, more = found[:limit], True
        last = int(found[-1].name)
    token = ContinueToken(max(revision, 1), "", str(last)).encode() if more else ""
    return Page(found, revision, token)


def _number(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() and len(name) < len(str(2**63)) else None
