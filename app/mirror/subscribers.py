"""Who is told of changes: indexes and queues in this process, each of the kinds that concern it."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from app.mirror.entry import Change

Changed = Callable[[Sequence[Change]], None]
Reloaded = Callable[[], None]

_log = structlog.stdlib.get_logger(__name__)


class _Subscriber(NamedTuple):
    changed: Changed
    reloaded: Reloaded
    kinds: frozenset[str] | None


class Subscribers:
    """Told one after the other, in the order in which they subscribed. One that fails harms nobody else."""

    def __init__(self) -> None:
        self._all: list[_Subscriber] = []

    def add(self, changed: Changed, reloaded: Reloaded, kinds: Iterable[str] | None) -> None:
        """Tell somebody from now on, of changes of some kinds or, with None, of all."""
        self._all.append(_Subscriber(changed, reloaded, None if kinds is None else frozenset(kinds)))

    def remove(self, changed: Changed) -> None:
        """Tell them no more."""
        self._all = [each for each in self._all if each.changed != changed]

    def tell(self, changes: Sequence[Change]) -> None:
        """Tell everybody whom some of the changes concern of these, in their order."""
        kinds = {change.entry.kind for change in changes}
        selected: dict[frozenset[str], Sequence[Change]] = {}
        for subscriber in self._all:
            wanted = subscriber.kinds
            if wanted is None or kinds <= wanted:
                mine = changes
            elif kinds.isdisjoint(wanted):
                continue
            elif wanted in selected:
                mine = selected[wanted]
            else:
                mine = selected[wanted] = [change for change in changes if change.entry.kind in wanted]
            if mine:
                _tell(partial(subscriber.changed, mine))

    def tell_reloaded(self) -> None:
        """Tell everybody that everything was loaded anew."""
        for subscriber in self._all:
            _tell(subscriber.reloaded)


def _tell(subscriber: Callable[[], None]) -> None:
    try:
        subscriber()
    except Exception:  # noqa: BLE001 - logged; the fault is the subscriber's
        _log.exception("a subscriber of the mirror failed")
