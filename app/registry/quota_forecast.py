"""Dry runs: whether the quotas of a namespace would allow what is not written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.rules.quota_resources import OBJECTS, count_of
from app.store.reader import Reader
from app.store.rows import LimitRow
from app.store.writes import Excess, QuotaExceeded, Write

_Key = tuple[str, str]
"""A namespace and a measure."""


class QuotaForecast:
    """Compares writes with the quotas of this moment, as the store does when it writes.

    Args:
        reader: Knows the quotas, and what is used of them.
        ceiling: The most objects of a namespace; None if there is no limit.
    """

    def __init__(self, reader: Reader, ceiling: int | None) -> None:
        self._reader = reader
        self._ceiling = ceiling

    async def exceeded(self, writes: Sequence[tuple[Write, Mapping[str, int]]]) -> list[QuotaExceeded | None]:
        """What each write would exceed, if the writes before it that fit were stored.

        Args:
            writes: In their order, each with what its object is charged so far.
        """
        namespaces = sorted({write.namespace for write, _ in writes if write.namespace})
        limits, used = await self._limits(namespaces)
        changes = [dict(_changes(write, before)) for write, before in writes]
        for change in changes:
            used.update({key: amount for key, amount in change.items() if amount < 0})
        results: list[QuotaExceeded | None] = []
        for (write, _), change in zip(writes, changes, strict=True):
            more = {key: amount for key, amount in change.items() if amount > 0}
            results.append(_first_exceeded(_reached(more, limits, used, bounded=write.bounded)))
            if results[-1] is None:
                used.update(more)
        return results

    async def _limits(self, namespaces: Sequence[str]) -> tuple[Mapping[_Key, list[LimitRow]], Counter[_Key]]:
        """The limits of namespaces, in the order of the quotas' names, and what is used of them."""
        limits: dict[_Key, list[LimitRow]] = {}
        used: Counter[_Key] = Counter()
        for row in await self._reader.quota_limits(namespaces) if namespaces else ():
            limits.setdefault((row.namespace, row.measure), []).append(row)
            used[row.namespace, row.measure] = row.used
        for namespace in namespaces if self._ceiling is not None else ():
            count, key = await self._reader.count_objects(namespace), (namespace, OBJECTS)
            limits[key] = [LimitRow(namespace, OBJECTS, count, "", OBJECTS, self._ceiling or 0, str(self._ceiling))]
            used[key] = count
        return limits, used


def _changes(write: Write, before: Mapping[str, int]) -> Iterator[tuple[_Key, int]]:
    """By how much a write changes each measure of its namespace."""
    step = {"create": 1, "delete": -1}.get(write.action, 0)
    after = dict(write.charges) if write.action != "delete" else {}
    changes = {count_of(write.kind): step, OBJECTS: step}
    changes |= {measure: after.get(measure, 0) - before.get(measure, 0) for measure in {*after, *before}}
    return (((write.namespace, measure), amount) for measure, amount in changes.items() if amount)


def _reached(
    more: Mapping[_Key, int], limits: Mapping[_Key, list[LimitRow]], used: Mapping[_Key, int], *, bounded: bool
) -> Iterator[tuple[str, Excess]]:
    """Each limit that would be exceeded, with the name of its quota."""
    for key, amount in more.items():
        for limit in limits.get(key, ()):
            if used[key] + amount > limit.most and (limit.quota or bounded):
                yield limit.quota, Excess(limit.resource, amount, used[key], limit.shown)


def _first_exceeded(reached: Iterable[tuple[str, Excess]]) -> QuotaExceeded | None:
    """Of several quotas, the first by name."""
    found = sorted(reached, key=lambda each: (each[0], each[1].resource))
    if not found:
        return None
    quota = found[0][0]
    return QuotaExceeded(quota, tuple(excess for name, excess in found if name == quota))
