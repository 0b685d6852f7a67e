"""Who held what: the claims that have ended, and those that have not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.claim_tables import CLAIM_TABLES, ClaimTable
from app.store.database import Database

_WITHIN = 15.0
"""Seconds that a page may take. Most take a millisecond; a selector that few claims fulfil has many looked at."""

_ROWS_AT_ONCE = 5_000
"""Rows deleted in one statement, so that none lasts long."""

_TABLES = [table for table in CLAIM_TABLES.values() if table.recorded]


class HeldClaim(NamedTuple):
    """One claim.

    Attributes:
        number: Its place in the order in which claims were taken.
        table: The table of claims that it is, or was, in.
        address: In canonical text; None for a port that has none.
        protocol: None where there is none.
        port: None where there is none.
        uid: The holder's.
        kind: Storage key of the holder.
        namespace: The holder's.
        name: The holder's.
        since: When it was taken.
        until: When it was released; None while it is held.
    """

    number: int
    table: str
    address: str | None
    protocol: str | None
    port: int | None
    uid: str
    kind: str
    namespace: str
    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SpansTurnover:
    """What became of load balancer addresses.

    Attributes:
        used: How many are held.
        resting: How many were released a moment ago and are not held.
        taken: By days until now: how many somebody got that nobody had.
        released: By days until now: how many nobody has any more.
    """

    used: int
    resting: int
    taken: Mapping[int, int]
    released: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ClaimsWanted:
    """Which claims are wanted; None where it does not matter.

    Attributes:
        address: In canonical text.
        namespace: Of the holder.
        name: Of the holder.
        kind: Storage key of the holder.
    """

    address: str | None = None
    namespace: str | None = None
    name: str | None = None
    kind: str | None = None


class AddressLedger:
    """Reads the ledger, and forgets what is old. The write function writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: ClaimsWanted, after: int, limit: int) -> Sequence[HeldClaim]:
        """The claims behind a number, in order.

        A claim keeps its number when it ends, so that a list that is read page by page misses none and has none twice.

        Args:
            wanted: Which.
            after: The number of the last claim of the page before.
            limit: How many at most.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        values = (after, wanted.address, wanted.namespace, wanted.name, wanted.kind, limit)
        given = [value for value in values if value is not None]
        places = iter(range(1, len(given) + 1))
        number, *rest = (None if value is None else f"${next(places)}" for value in values)
        statement = _statement(f"> {number}", *rest)
        return list(map(HeldClaim._make, await self._database.fetch(statement, *given, within=_WITHIN)))

    async def find(self, number: int) -> HeldClaim | None:
        """One claim by its number.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        rows = await self._database.fetch(_statement("= $1", None, None, None, None, "1"), number)
        return HeldClaim._make(rows[0]) if rows else None

    async def turnover(self, spans: Sequence[tuple[str, str]], days: Sequence[int], rest: int) -> SpansTurnover:
        """What became of the load balancer addresses within some spans. One that is shared counts once.

        Args:
            spans: First and last address of each.
            days: The windows until now, in days.
            rest: Seconds for which an address rests that was released.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        lows, highs = [low for low, _ in spans], [high for _, high in spans]
        values = (lows, highs, timedelta(days=max(days)), timedelta(seconds=rest), days)
        rows = await self._database.fetch(_TURNOVER, *values, within=_WITHIN)
        taken, released = ({row[0]: row[place] for row in rows} for place in (1, 2))
        return SpansTurnover(rows[0][3], rows[0][4], taken, released)

    async def forget(self, older_than: timedelta) -> int:
        """Delete what ended longer ago than an age; answers how many claims that were.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        total, deleted = 0, _ROWS_AT_ONCE
        while deleted == _ROWS_AT_ONCE:
            deleted = (await self._database.fetch(_FORGET, older_than, _ROWS_AT_ONCE))[0][0]
            total += deleted
        return total

    async def released(self, table: str, within: float) -> Sequence[tuple[str, float]]:
        """The addresses that were released in the last seconds and that nobody holds, and how many seconds ago.

        In the order of their release.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        rows = await self._database.fetch(_released(table), table, timedelta(seconds=within), within=_WITHIN)
        return [(row[0], float(row[1])) for row in rows]


def _statement(
    number: str, address: str | None, namespace: str | None, name: str | None, kind: str | None, limit: str | None
) -> str:
    """All claims, live ones and those that have ended, with the parameters that stand for what is wanted."""
    holder = {"namespace": namespace, "name": name, "kind": kind}
    ended = [f"h.number {number}", *(f"h.address = {address}::text::inet" for _ in range(address is not None))]
    ended += [f"h.{column} = {value}" for column, value in holder.items() if value is not None]
    history = f"""
        SELECT number, claims, host(address), protocol, port, owner::text, kind, namespace, name, since, until
        FROM address_history h WHERE {" AND ".join(ended)}
    """
    tables = [each for each in _TABLES if address is None or _has(each, "address")]
    parts = [history, *(_live(table, number, address, holder) for table in tables)]
    union = " UNION ALL ".join(f"({part} ORDER BY number LIMIT {limit})" for part in parts)
    return f"{union} ORDER BY 1 LIMIT {limit}"


def _live(table: ClaimTable, number: str, address: str | None, holder: dict[str, str | None]) -> str:
    """The claims of one table that are held."""
    columns = {
        "address": "host(t.address)" if _has(table, "address") else "NULL::text",
        "protocol": "t.protocol" if _has(table, "protocol") else "NULL::text",
        "port": "t.port" if _has(table, "port") else "NULL::integer",
    }
    wanted = [f"t.number {number}", *(f"t.address = {address}::text::inet" for _ in range(address is not None))]
    given = [f"o.{column} = {value}" for column, value in holder.items() if value is not None]
    if holder["name"] is not None:
        # Few objects have a name, so that the claims of these are looked up, and not all claims gone through.
        wanted.append(f"t.owner = ANY (ARRAY(SELECT o.uid FROM objects o WHERE {' AND '.join(given)}))")
    return f"""
        SELECT t.number, '{table.name}', {", ".join(columns.values())}, o.uid::text, o.kind, o.namespace, o.name,
            t.since, NULL::timestamptz
        FROM {table.name} t JOIN objects o ON o.uid = t.owner
        WHERE {" AND ".join([*wanted, *given])}
    """


def _has(table: ClaimTable, column: str) -> bool:
    return any(each.name == column for each in table.columns)


def _released(table: str) -> str:
    return f"""
        SELECT host(h.address), extract(epoch FROM clock_timestamp() - max(h.until))
        FROM address_history h
        WHERE h.claims = $1 AND h.until > clock_timestamp() - $2::interval
            AND NOT EXISTS (SELECT FROM {table} t WHERE t.address = h.address)
        GROUP BY h.address ORDER BY max(h.until)
    """


# An address is taken when it gets its first holder, and released when the last one of those that share it is gone. Each
# time from the one to the other is a stay.
_TURNOVER = """
    WITH claims AS (
        SELECT t.address, t.number, t.since, 'infinity'::timestamptz AS until
        FROM unnest($1::text[], $2::text[]) AS s(low, high)
        JOIN lb_addresses t ON t.address BETWEEN s.low::inet AND s.high::inet
        UNION ALL
        SELECT h.address, h.number, h.since, h.until
        FROM unnest($1::text[], $2::text[]) AS s(low, high)
        JOIN address_history h ON h.address BETWEEN s.low::inet AND s.high::inet
        WHERE h.claims = 'lb_addresses' AND h.until > clock_timestamp() - greatest($3::interval, $4::interval)
    ), marked AS (
        SELECT *, max(until) OVER (
            PARTITION BY address ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM claims
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE before IS NULL OR before <= since) OVER (
            PARTITION BY address ORDER BY number) AS stay
        FROM marked
    ), stays AS (
        SELECT address, min(since) AS since, max(until) AS until FROM numbered GROUP BY address, stay
    ), latest AS (
        SELECT address, max(until) AS until FROM stays GROUP BY address
    )
    SELECT d.days,
        (SELECT count(*) FROM stays WHERE since > clock_timestamp() - make_interval(days => d.days)),
        (SELECT count(*) FROM stays
            WHERE until < 'infinity' AND until > clock_timestamp() - make_interval(days => d.days)),
        (SELECT count(*) FROM latest WHERE until = 'infinity'),
        (SELECT count(*) FROM latest WHERE until < 'infinity' AND until > clock_timestamp() - $4::interval)
    FROM unnest($5::integer[]) AS d(days)
"""
_FORGET = """
    WITH gone AS (
        DELETE FROM address_history WHERE number = ANY (ARRAY(
            SELECT number FROM address_history WHERE until < clock_timestamp() - $1::interval
            ORDER BY until LIMIT $2))
        RETURNING number
    )
    SELECT count(*) FROM gone
"""
