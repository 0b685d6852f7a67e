"""Zone transfers: whole zones (AXFR, RFC 5936), and what changed since a serial (IXFR, RFC 1995)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import dns.exception
import dns.message
import dns.rdatatype
import structlog

from app.cluster.dns_zones import DNSZones
from app.cluster.zone_contents import ZoneContents
from app.cluster.zone_journals import ZoneJournals
from app.credentials.tsig_keys import TsigKeys
from app.domain.errors import ApiError
from app.domain.kinds.dns_zone import DNSZoneSpec
from app.domain.rules.dns_servers import server_endpoint
from app.domain.rules.zone_description import ZoneDescription
from app.domain.rules.zone_serial import is_newer
from app.domain.wanted.dns_zones import soa_record
from app.domain.wanted.zone_journal import Difference, Record, ZoneJournal, each_record
from app.mirror.mirror import Mirror
from app.serving.dns.queries import HEADER, QueryError, Rcode, name_text, question_end
from app.serving.dns.signatures import Signer, UnsignedError, checked
from app.serving.dns.transfer_messages import TransferMessages
from app.telemetry.metrics import DNS_TRANSFERS

AXFR, IXFR = 252, 251
_AT_ONCE = 8
"""Transfers that one process sends at a time. The others wait."""

_MOST_WAITING = 200
_FRESH_SECONDS = 1.0
_RECORDS_IN_A_ROW = 1_000
_QR_OPCODE = 0xF8
"""The bits of the third byte that a query has not set."""

_QR = 0x80
_ONE_QUESTION = b"\x00\x01"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TransferParts:
    """What transfers are made from.

    Attributes:
        mirror: Of the process.
        zones: Those of this server.
        journals: Their serials, and what changed.
        contents: Their records.
        keys: With which queries are signed.
    """

    mirror: Mirror
    zones: DNSZones
    journals: ZoneJournals
    contents: ZoneContents
    keys: TsigKeys


class RefusedError(Exception):
    """A transfer that is not made.

    Attributes:
        rcode: What the client is told.
        why: What the log is told.
    """

    def __init__(self, rcode: Rcode, why: str) -> None:
        super().__init__(why)
        self.rcode = rcode
        self.why = why


class Transfers:
    """Answers queries for transfers, which come over TCP."""

    def __init__(self, parts: TransferParts) -> None:
        self._parts = parts
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def answer(self, query: bytes, client: bytes) -> AsyncIterator[bytes] | None:
        """The messages that answer a query, or None if it asks for no transfer.

        Args:
            query: As it came.
            client: Its address, 4 or 16 bytes.
        """
        try:
            end = question_end(query)
        except QueryError:
            return None
        kind = int.from_bytes(query[end - 4 : end - 2], "big")
        is_query = not query[2] & _QR_OPCODE and query[4:6] == _ONE_QUESTION
        return self._answered(query, client) if is_query and kind in (AXFR, IXFR) else None

    async def _answered(self, query: bytes, client: bytes) -> AsyncIterator[bytes]:
        signer = None
        try:
            if _is_signed(query):
                query, signer = checked(query, self._parts.keys)
            self._waiting += 1
            try:
                if self._waiting > _MOST_WAITING:
                    raise RefusedError(Rcode.SERVFAIL, "too many transfers wait")
                async with self._turn:
                    async for message in self._transfer(query, client, signer):
                        yield message if signer is None else signer.sign(message)
            finally:
                self._waiting -= 1
        except UnsignedError as error:
            self._refused(query, client, error.problem)
            yield error.answer
        except RefusedError as error:
            self._refused(query, client, error.why)
            message = _failure(query, error.rcode)
            yield message if signer is None else signer.sign(message)

    def _refused(self, query: bytes, client: bytes, why: str) -> None:
        name = name_text(query[HEADER : question_end(query)])
        DNS_TRANSFERS.labels(_kind(query), "refused").inc()
        _log.warning("zone transfer refused", zone=name, client=str(ip_address(client)), why=why)

    async def _transfer(self, query: bytes, client: bytes, signer: Signer | None) -> AsyncIterator[bytes]:
        end = question_end(query)
        await self._catch_up()
        zone = self._permitted(name_text(query[HEADER:end]), client, signer)
        journal = self._parts.journals.of(zone.name)
        if journal is None:
            raise RefusedError(Rcode.SERVFAIL, "the serial of the zone is not known yet")
        known = _known_serial(query) if _kind(query) == "IXFR" else None
        changed = None if known is None else journal.since(known)
        messages, serial = TransferMessages(query, end), journal.serial
        how = "AXFR" if changed is None else "IXFR"
        records = self._whole(zone, journal) if changed is None else self._steps(zone, journal, known or 0, changed)
        count = 0
        async for record in records:
            count += 1
            full = messages.add(record)
            if full is not None:
                yield full
        yield messages.rest()
        DNS_TRANSFERS.labels(how, "sent").inc()
        address = str(ip_address(client))
        _log.info("zone transferred", zone=zone.name, client=address, how=how, serial=serial, records=count)

    async def _catch_up(self) -> None:
        """Have the state that clients were told of. When the database is away, they get what there is."""
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(_FRESH_SECONDS):
                await self._parts.mirror.fresh()
                await self._parts.journals.current()

    def _permitted(self, name: str, client: bytes, signer: Signer | None) -> ZoneDescription:
        """The zone of a name, if the client may have it."""
        zone = self._parts.zones.zones.get(name)
        if zone is None:
            raise RefusedError(Rcode.NOTAUTH, "this server does not have the zone")
        obj = self._parts.journals.object_of(zone.name)
        key = "" if signer is None else signer.key.name.to_text(omit_final_dot=True)
        if obj is None or not may_transfer(obj.spec, client, key):
            with_key = f"with the key {key}" if key else "without a key"
            raise RefusedError(Rcode.REFUSED, f"the DNSZone allows this client no transfer {with_key}")
        return zone

    def _soa(self, zone: ZoneDescription, serial: int) -> Record:
        return next(each_record([soa_record(zone, serial)]))

    async def _whole(self, zone: ZoneDescription, journal: ZoneJournal) -> AsyncIterator[Record]:
        # Serial and records are read in one step of the event loop: they are of one revision.
        soa, contents = self._soa(zone, journal.serial), self._parts.contents.of(zone)
        yield soa
        async for record in contents:
            yield record
        yield soa

    async def _steps(
        self, zone: ZoneDescription, journal: ZoneJournal, known: int, changed: Difference
    ) -> AsyncIterator[Record]:
        new = self._soa(zone, journal.serial)
        yield new
        if known == journal.serial or is_newer(known, journal.serial):
            return
        for number, record in enumerate(_in_order(self._soa(zone, known), new, changed)):
            yield record
            if number % _RECORDS_IN_A_ROW == 0:
                await asyncio.sleep(0)


def may_transfer(spec: DNSZoneSpec, client: bytes, key: str) -> bool:
    """Whether a client may transfer a zone: a secondary, or one that is allowed to. Who has to sign has to sign.

    Args:
        spec: Of the zone.
        client: Its address, 4 or 16 bytes.
        key: With which it signed; "" for none.
    """
    address = ip_address(client)
    for secondary in spec.secondaries or []:
        place = server_endpoint(secondary.address)
        if place is not None and ip_address(place.host) == address and secondary.tsig_key_name in ("", key):
            return True
    return any(
        address in ip_network(each.network) and each.tsig_key_name in ("", key) for each in spec.allow_transfer or []
    )


def _in_order(old: Record, new: Record, changed: Difference) -> Iterator[Record]:
    """The difference in the order of RFC 1995, section 4: behind the old SOA what went, behind the new what came."""
    yield old
    yield from changed.removed
    yield new
    yield from changed.added
    yield new


def _kind(query: bytes) -> str:
    end = question_end(query)
    return "IXFR" if int.from_bytes(query[end - 4 : end - 2], "big") == IXFR else "AXFR"


def _is_signed(query: bytes) -> bool:
    """Whether a query seems to be signed; a closer look follows if it does."""
    try:
        message = dns.message.from_wire(query, keyring=lambda _message, _name: False)
    except (dns.exception.DNSException, ValueError) as error:
        raise RefusedError(Rcode.FORMERR, "the query is malformed") from error
    return message.tsig is not None


def _known_serial(query: bytes) -> int:
    """The serial that a client has: of the SOA record in the authority section."""
    message = dns.message.from_wire(query)
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return int(rrset[0].serial)
    raise RefusedError(Rcode.FORMERR, "an IXFR without the serial that the client has")


def _failure(query: bytes, rcode: Rcode) -> bytes:
    end = question_end(query)
    return query[:2] + bytes([_QR, rcode]) + _ONE_QUESTION + bytes(6) + query[HEADER:end]
