"""A zone of another server, changed by updates (RFC 2136) and read by transfer (RFC 5936).

Each name of ours has a TXT record that says so, at a name of its own below it: beside a CNAME there can be no other
record. Every update has prerequisites, so that the server itself makes sure that nothing of somebody else is changed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import dns.asyncquery
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.update
import dns.xfr
import dns.zone

from app.domain.wanted.pushed_names import PUSHED_TYPES, PushedName
from app.providers.dns.servers import FAILURES, Server, ServerError, asked, failure, serial_at
from app.providers.dns.zone_updates import NameConflictError

OWNER_LABEL = "_fairlead"
"""The label below a name, at which a TXT record says whose the name is."""

_TRANSFER_SECONDS = 60.0
_PREREQUISITES = {dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.NXRRSET}
"""What a server answers when a prerequisite does not hold (RFC 2136, section 2.2)."""


class Rfc2136:
    """The names of this installation in one zone.

    Args:
        server: The primary of the zone.
        zone: Its name.
        installation: Tells this installation from others that have names in the zone.
    """

    def __init__(self, server: Server, zone: str, installation: str) -> None:
        self._server = server
        self._zone = zone
        self._origin = dns.name.from_text(zone)
        self._mark = f"heritage=fairlead,installation={installation},service="

    async def read(self) -> dict[str, PushedName]:
        """The names that are ours, as the server has them.

        Raises:
            ServerError: The zone cannot be transferred.
        """
        zone = await self._transferred()
        owners: dict[str, str] = {}
        contents: dict[str, dict[str, tuple[int, frozenset[str]]]] = defaultdict(dict)
        for name, rdataset in zone.iterate_rdatasets():
            text, kind = name.derelativize(self._origin).to_text(omit_final_dot=True), rdataset.rdtype
            if kind == dns.rdatatype.TXT and text.startswith(f"{OWNER_LABEL}."):
                owner = self._owner(rdataset)
                if owner:
                    owners[text.partition(".")[2]] = owner
            elif dns.rdatatype.to_text(kind) in PUSHED_TYPES:
                values = frozenset(each.to_text(self._origin, relativize=False) for each in rdataset)
                contents[text][dns.rdatatype.to_text(kind)] = (rdataset.ttl, values)
        return {name: PushedName(owner, contents.get(name, {})) for name, owner in owners.items()}

    async def put(self, name: str, before: PushedName | None, after: PushedName | None) -> None:
        """Change what one name has, in one update.

        Raises:
            NameConflictError: The name is somebody else's, or is not as it was any more.
            ServerError: The server cannot be reached, or refuses. It may have made the change.
        """
        update = dns.update.UpdateMessage(self._origin)
        owner, own = dns.name.from_text(f"{OWNER_LABEL}.{name}."), dns.name.from_text(f"{name}.")
        self._require(update, owner, own, before)
        if before is not None:
            update.delete(owner, "TXT")
            for kind in before.content:
                update.delete(own, kind)
        elif after is not None and "CNAME" in after.content:
            update.absent(own)
        if after is not None:
            update.add(owner, _ttl(after), "TXT", self._text(after.owner))
            for kind, (ttl, values) in after.content.items():
                for value in sorted(values):
                    update.add(own, ttl, kind, value)
        answer = await asked(self._server, update, over_tcp=True, accepted=_PREREQUISITES)
        if answer.rcode() in _PREREQUISITES:
            word = dns.rcode.to_text(answer.rcode())
            why = "somebody else has the name" if before is None else "somebody else changed it"
            raise NameConflictError(f"{self._server} answers {word} for {name}: {why}")

    def _require(
        self, update: dns.update.UpdateMessage, owner: dns.name.Name, own: dns.name.Name, before: PushedName | None
    ) -> None:
        """Have the server make sure that the name has what it is believed to have, and nothing more of these types."""
        if before is None:
            update.absent(owner)
        else:
            update.present(owner, "TXT", self._text(before.owner))
        content = {} if before is None else before.content
        for kind in PUSHED_TYPES:
            if kind in content:
                update.present(own, kind, *sorted(content[kind][1]))
            else:
                update.absent(own, kind)

    async def serial(self) -> int:
        """The serial of the zone.

        Raises:
            ServerError: It cannot be read.
        """
        return await serial_at(self._server, self._zone)

    async def _transferred(self) -> dns.zone.Zone:
        zone = dns.zone.Zone(self._origin, relativize=True)
        query, _ = dns.xfr.make_query(
            zone, keyring=None if self._server.key is None else {self._server.key.name: self._server.key}
        )
        try:
            async with asyncio.timeout(_TRANSFER_SECONDS):
                await dns.asyncquery.inbound_xfr(self._server.host, zone, query, port=self._server.port)
        except dns.xfr.TransferError as error:
            raise ServerError("Refused", f"{self._server} refuses the transfer of {self._zone}: {error}") from error
        except FAILURES as error:
            raise failure(self._server, error) from error
        return zone

    def _text(self, owner: str) -> str:
        return f'"{self._mark}{owner}"'

    def _owner(self, texts: Iterable[dns.rdata.Rdata]) -> str:
        """Whose a name is, if a TXT record says that it is one of ours."""
        for each in texts:
            text = each.to_text().strip('"')
            if text.startswith(self._mark):
                return text.removeprefix(self._mark)
        return ""


def _ttl(name: PushedName) -> int:
    return next((ttl for ttl, _ in name.content.values()), 0)
