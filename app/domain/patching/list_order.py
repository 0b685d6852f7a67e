"""Identifies the items of a list, and orders the items of a merged list."""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any

from app.domain.documents.schema import encode_canonical


class Identity:
    """Identifies the items of a list: by the value of their merge key, or by the whole item if there is no key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def of(self, item: Any) -> Hashable:
        """The identity of an item. As in JSON, true is not 1, and 1 is not 1.0."""
        value = item.get(self._key) if self._key and isinstance(item, dict) else item
        return encode_canonical(value) if isinstance(value, dict | list) else (type(value), value)

    def places(self, items: Sequence[Any]) -> dict[Hashable, int]:
        """The first index of each identity."""
        places: dict[Hashable, int] = {}
        for index, item in enumerate(items):
            places.setdefault(self.of(item), index)
        return places


def in_order(merged: Sequence[Any], order: Sequence[Any], live: Sequence[Any], identity: Identity) -> list[Any]:
    """Order merged items: those in `order` as they are there, the others as they are in the live list.

    The two sequences are interleaved by the positions in the live list. Where that is impossible, the items of `order`
    come first. Source: design proposal "preserve-order-in-strategic-merge-patch".
    """
    wanted, current = identity.places(order), identity.places(live)
    keyed = [(identity.of(item), item) for item in merged]
    named = deque(sorted((pair for pair in keyed if pair[0] in wanted), key=lambda pair: wanted[pair[0]]))
    others = deque(sorted((pair for pair in keyed if pair[0] not in wanted), key=lambda pair: current.get(pair[0], -1)))
    result: list[Any] = []
    while named and others:
        other, first = current.get(others[0][0], -1), current.get(named[0][0], -1)
        result.append((others if 0 <= other < first else named).popleft()[1])
    return [*result, *(item for _, item in named), *(item for _, item in others)]
