"""Turns writes into the arguments of the write function, and its answer into outcomes."""

from collections.abc import Collection, Sequence
from typing import Any, cast

import msgspec

from app.domain.rules.claim import Claim
from app.store.claim_tables import exclude, thing
from app.store.sealing import Keyring
from app.store.writes import (
    Aborted,
    ClaimHeld,
    Committed,
    Excess,
    LeaseLost,
    Missing,
    NamespaceMissing,
    NamespaceNotEmpty,
    NamespaceTerminating,
    NameTaken,
    Outcome,
    QuotaExceeded,
    Stale,
    Write,
)

_PLAIN: dict[str, Outcome] = {
    "Aborted": Aborted(),
    "LeaseLost": LeaseLost(),
    "Missing": Missing(),
    "NamespaceMissing": NamespaceMissing(),
    "NamespaceNotEmpty": NamespaceNotEmpty(),
    "NamespaceTerminating": NamespaceTerminating(),
}

NAMESPACES = "namespaces"


def arguments(writes: Sequence[Write], keyring: Keyring, ceiling: int | None = None) -> tuple[Any, ...]:
    """The arrays of the function, one element a write, then the ceiling, the claims (see `_claims`) and the traces."""
    return (
        [write.action for write in writes],
        [write.kind for write in writes],
        [write.namespace for write in writes],
        [write.name for write in writes],
        [write.uid for write in writes],
        [keyring.seal(write.body, write.kind, write.uid) if write.confidential else write.body for write in writes],
        [write.expected_revision for write in writes],
        [write.published for write in writes],
        [write.pending for write in writes],
        [write.deletion_timestamp for write in writes],
        [write.lease.name if write.lease else None for write in writes],
        [write.lease.epoch if write.lease else None for write in writes],
        [_json(dict(write.charges)) if write.charges else None for write in writes],
        [_json(write.limits) if write.limits else None for write in writes],
        [write.bounded for write in writes],
        ceiling,
        *_claims(writes),
        [write.trace or None for write in writes] if any(write.trace for write in writes) else None,
    )


def _claims(writes: Sequence[Write]) -> tuple[list[str], list[list[str | None]]]:
    """The tables in which the writes claim something, and for each table the keys: one array literal a write."""
    rows: dict[str, list[str | None]] = {}
    for position, write in enumerate(writes):
        if not write.claims or write.action == "delete":
            continue
        keys: dict[str, dict[str, None]] = {}
        for claim in write.claims:
            keys.setdefault(claim.table, {})[claim.key] = None
        for table, own in keys.items():
            row = rows.get(table)
            if row is None:
                row = rows[table] = [None] * len(writes)
            row[position] = _literal(own)
    return list(rows), list(rows.values())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _literal(keys: Collection[str]) -> str:
    text = '","'.join(keys)
    if "\\" in text or text.count('"') > 2 * (len(keys) - 1):
        text = '","'.join(key.replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return f'{{"{text}"}}'


def outcomes(writes: Sequence[Write], answer: Any) -> list[Outcome]:
    """The outcome of each write.

    Args:
        writes: The writes, in the order of the arguments.
        answer: The row that the function returned: outcomes, revisions, holders.
    """
    holders = msgspec.json.decode(answer["holders"]) if answer["holders"] else {}
    pairs = zip(writes, answer["outcomes"], answer["revisions"], strict=True)
    return [_outcome(*pair, holders.get(str(position))) for position, pair in enumerate(pairs, start=1)]


def _outcome(write: Write, name: str, revision: int | None, holder: list[Any] | None) -> Outcome:
    if name == "Committed":
        return Committed(revision)
    if name == "Stale":
        return Stale(revision)
    if name == "NameTaken":
        return NameTaken(revision is not None)
    if name == "ClaimHeld":
        table, key, kind, namespace, owner = cast("list[Any]", holder)
        claim = next(claim for claim in write.claims if claim.table == table and claim.key == key)
        return ClaimHeld(claim, kind, namespace, owner)
    if name == "QuotaExceeded":
        quota, resources = cast("list[Any]", holder)
        return QuotaExceeded(quota, tuple(Excess(*each) for each in resources))
    return _PLAIN[name]


class Independence:
    """Tells which writes may share a batch: none of them may change the outcome of another.

    The function checks all members before it stores any. So two writes of one object, two writes that claim the same
    thing, and a Namespace and its content go into different batches, in the order in which they came. Of quotas the
    function knows itself what the members before have used.
    """

    def __init__(self) -> None:
        self._objects: set[tuple[str, str, str]] = set()
        self._claims: set[tuple[str, str]] = set()
        self._namespaces: set[str] = set()
        self._filled: set[str] = set()

    def admit(self, write: Write) -> bool:
        """Whether the write is independent of all that were shown before it, admitted or not."""
        place = (write.kind, write.namespace, write.name)
        free = place not in self._objects
        self._objects.add(place)
        if write.kind == NAMESPACES:
            free = free and write.name not in self._filled
            self._namespaces.add(write.name)
        elif write.namespace:
            free = free and write.namespace not in self._namespaces
            self._filled.add(write.namespace)
        if write.claims:
            things = {thing(claim) for claim in write.claims}
            free = free and self._claims.isdisjoint(things)
            self._claims |= things
        return free


def shows(write: Write, claim: Claim) -> bool:
    """Whether an object still shows a claim after a write."""
    return write.action != "delete" and any(thing(own) == thing(claim) for own in write.claims)


def clash(writes: Sequence[Write]) -> tuple[int, ClaimHeld] | None:
    """Find the first write that claims what an earlier one claims. Both were to be stored together."""
    seen: dict[tuple[str, str], tuple[int, Claim]] = {}
    for position, write in enumerate(writes):
        for claim in write.claims:
            earlier, theirs = seen.setdefault(thing(claim), (position, claim))
            if earlier != position and exclude(claim, theirs):
                owner = writes[earlier]
                return position, ClaimHeld(claim, owner.kind, owner.namespace, owner.name)
    return None
