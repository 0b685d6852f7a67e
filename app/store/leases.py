"""Leases: which of several processes works on a concern.

A lease expires by the clock of the database. That clock may be set back, or stand still. So each renewal is counted.
If a process sees the same count for as long as a lease lives, by its own clock, it treats the lease as expired, too.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.store.database import Database
from app.store.writes import LeaseGuard

_ACQUIRE = "SELECT epoch, held_epoch, held_renewals FROM fairlead_acquire($1, $2, $3, $4, $5)"
# An expired lease that nobody has taken is still its holder's, one that was given back is nobody's. A renewal that a
# crash loses only makes the lease expire sooner, so it need not wait for the disk, where writes that somebody waits for
# would queue behind it.
_RENEW = """
    WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE leases l SET renewals = l.renewals + 1, ttl = asked.ttl, expires_at = clock_timestamp() + asked.ttl
    FROM soon, unnest($1::text[], $2::bigint[], $3::text[], $4::interval[]) AS asked (name, epoch, holder, ttl)
    WHERE l.name = asked.name AND l.epoch = asked.epoch AND l.holder = asked.holder AND l.expires_at > '-infinity'
    RETURNING l.name, l.epoch
"""
_RELEASE = """
    UPDATE leases SET expires_at = '-infinity' WHERE name = $1 AND epoch = $2 AND holder = $3 RETURNING epoch
"""
IS_LIVE = "expires_at > clock_timestamp() AND expires_at <= clock_timestamp() + ttl"
"""Whether a row of the table is a lease that is held.

A lease that would live longer than it was given for was renewed before the database's clock was set back, and counts as
expired.
"""

_HELD = f"SELECT epoch, renewals, ttl FROM leases WHERE name = $1 AND {IS_LIVE}"
_LOOK_SECONDS = 1.0
"""Seconds for one attempt to look at a lease; it is looked at again soon."""

_LIVE = f"SELECT name FROM leases WHERE starts_with(name, $1) AND {IS_LIVE} ORDER BY name"
_HELD_NOW = f"""
    SELECT name, holder, epoch, extract(epoch FROM expires_at - clock_timestamp())::float8 FROM leases
    WHERE {IS_LIVE} ORDER BY name LIMIT $1
"""
_FORGET = """
    DELETE FROM leases WHERE starts_with(name, $1)
        AND (expires_at < clock_timestamp() - $2::interval OR expires_at > clock_timestamp() + ttl + $2::interval)
"""


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that a process holds.

    Attributes:
        name: The concern.
        holder: The process: its machine, its number there, and something that no other process has had.
        epoch: Grows each time the lease is taken.
        seconds_left: Until it expires unless it is renewed.
    """

    name: str
    holder: str
    epoch: int
    seconds_left: float


class _Sightings:
    """What this process has seen of the leases that others hold, by its own clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By name: a lease's epoch and count of renewals, and since when they have been the same.
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    def note(self, name: str, epoch: int, renewals: int) -> None:
        """Note what a lease looks like now."""
        if name not in self._seen or self._seen[name][0] != (epoch, renewals):
            self._seen[name] = (epoch, renewals), self._clock()

    def silent(self, name: str, seconds: float) -> tuple[int | None, int | None]:
        """Epoch and count of renewals if they have not changed for that long, else None and None."""
        if name not in self._seen:
            return None, None
        seen, since = self._seen[name]
        return seen if self._clock() - since >= seconds else (None, None)

    def forget(self, name: str) -> None:
        """Forget a lease that this process holds now."""
        self._seen.pop(name, None)


class Leases:
    """Acquires, renews and releases leases. A `LeaseGuard` proves the tenure in the transaction of a write."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._asked: list[tuple[str, int, str, timedelta]] = []
        self._renewing: asyncio.Task[set[LeaseGuard]] | None = None
        self._sightings = _Sightings(clock)

    async def acquire(self, name: str, holder: str, ttl: float) -> LeaseGuard | None:
        """Take a lease that is free, expired or held by the same holder. Its epoch grows each time.

        When this returns, each write of an earlier tenure is either committed and readable, or will be refused.

        Args:
            name: The concern, e.g. `zone:example.org`.
            holder: The unique name of the process that asks.
            ttl: Seconds until it expires unless renewed.

        Returns:
            The proof of the tenure, None if another process holds the lease.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        silent = self._sightings.silent(name, ttl)
        rows = await self._database.fetch(_ACQUIRE, name, holder, timedelta(seconds=ttl), *silent, within=ttl)
        epoch, held_epoch, held_renewals = rows[0]
        if epoch is not None:
            self._sightings.forget(name)
            return LeaseGuard(name, epoch)
        # Nothing is known of a holder that took the lease in just this moment.
        if held_epoch is not None:
            self._sightings.note(name, held_epoch, held_renewals)
        return None

    async def renew(self, guard: LeaseGuard, holder: str, ttl: float) -> bool:
        """Hold a lease for `ttl` seconds from now. False if another process has taken it.

        All renewals of one turn of the event loop are one statement.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        if self._renewing is None or not self._asked:
            self._renewing = asyncio.create_task(self._renew_asked(), name="renew leases")
        self._asked.append((guard.name, guard.epoch, holder, timedelta(seconds=ttl)))
        return guard in await asyncio.shield(self._renewing)

    async def _renew_asked(self) -> set[LeaseGuard]:
        asked, self._asked = self._asked, []
        names, epochs, holders, ttls = zip(*asked, strict=True)
        rows = await self._database.fetch(_RENEW, names, epochs, holders, ttls, within=min(ttls).total_seconds())
        return {LeaseGuard(*row) for row in rows}

    async def release(self, guard: LeaseGuard, holder: str) -> None:
        """Give a lease back before it expires. Nothing happens if another process has it.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._database.fetch(_RELEASE, guard.name, guard.epoch, holder)

    async def is_held(self, name: str) -> bool:
        """Whether a process holds a lease. Ask repeatedly: the first answer depends on the clock of the database alone.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        rows = await self._database.fetch(_HELD, name, within=_LOOK_SECONDS)
        if not rows:
            return False
        epoch, renewals, ttl = rows[0]
        self._sightings.note(name, epoch, renewals)
        return self._sightings.silent(name, ttl.total_seconds()) != (epoch, renewals)

    async def live(self, prefix: str) -> list[str]:
        """The names of held leases that begin with a prefix.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        return [row[0] for row in await self._database.fetch(_LIVE, prefix)]

    async def held(self, limit: int) -> list[HeldLease]:
        """The leases that are held, by name, at most `limit`.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        return [HeldLease(*row) for row in await self._database.fetch(_HELD_NOW, limit)]

    async def server_version(self) -> str:
        """The version of the Postgres that keeps them, such as 18.1.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        ((version,),) = await self._database.fetch("SELECT current_setting('server_version')")
        return str(version)

    async def forget(self, prefix: str, age: float) -> None:
        """Remove leases that begin with a prefix and expired that many seconds ago. No write may depend on them.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._database.fetch(_FORGET, prefix, timedelta(seconds=age))
