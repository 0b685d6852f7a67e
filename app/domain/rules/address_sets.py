"""Sets of addresses as values, kept as spans: a million addresses cost as much as one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, summarize_address_range

from app.domain.rules.address_ranges import IPV4, IPV6, AddressRange, address_number, address_text

Span = tuple[int, int]
"""First and last number, both included."""


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses of both families.

    Attributes:
        spans: By version, 4 and 6, the parts of the set in order, with gaps between them.
    """

    spans: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, ranges: Iterable[AddressRange]) -> "AddressSet":
        """The addresses of all these ranges."""
        found: dict[int, list[Span]] = {IPV4: [], IPV6: []}
        for each in ranges:
            found[each.version].append((each.first, each.last))
        return cls({version: merged(spans) for version, spans in found.items()})

    def __bool__(self) -> bool:
        return any(self.spans.values())

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        return AddressSet(
            {version: _without(spans, other.of_version(version)) for version, spans in self.spans.items()}
        )

    def __and__(self, other: "AddressSet") -> "AddressSet":
        return self - (self - other)

    def __or__(self, other: "AddressSet") -> "AddressSet":
        both = (IPV4, IPV6)
        return AddressSet({each: merged([*self.of_version(each), *other.of_version(each)]) for each in both})

    def __contains__(self, address: str) -> bool:
        version, number = address_number(address)
        spans = self.of_version(version)
        index = bisect_right(spans, number, key=_first) - 1
        return index >= 0 and number <= spans[index][1]

    def of_version(self, version: int) -> tuple[Span, ...]:
        """The spans of one family."""
        return self.spans.get(version, ())

    def size(self, version: int) -> int:
        """How many addresses of one family there are."""
        return sum(last - first + 1 for first, last in self.of_version(version))

    def bounds(self) -> Iterator[tuple[str, str]]:
        """First and last address of each span."""
        for version, spans in self.spans.items():
            for first, last in spans:
                yield address_text(version, first), address_text(version, last)

    def texts(self) -> list[str]:
        """Each span as text: a CIDR or an address if it is one, else `first-last`."""
        return [_text(first, last) for first, last in self.bounds()]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers as spans in order, with gaps between them."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if last < first:
            continue
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _without(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """Spans without the numbers of other spans. Both are in order; the time is linear in their number."""
    rest = list(spans)[::-1]
    found: list[Span] = []
    for low, high in taken:
        while rest and rest[-1][1] < low:
            found.append(rest.pop())
        while rest and rest[-1][0] <= high:
            first, last = rest.pop()
            if first < low:
                found.append((first, low - 1))
            if last > high:
                rest.append((high + 1, last))
    return (*found, *rest[::-1])


def _first(span: Span) -> int:
    return span[0]


def _text(first: str, last: str) -> str:
    networks = list(summarize_address_range(ip_address(first), ip_address(last)))
    if len(networks) > 1:
        return f"{first}-{last}"
    return first if first == last else str(networks[0])
