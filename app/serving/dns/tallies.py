"""Counts of queries. A counter of Prometheus' would cost as much as the answer, so they are brought there in bulk."""

from app.telemetry.metrics import DNS_QUERIES

_TYPES = frozenset(
    ("A", "AAAA", "ANY", "AXFR", "CNAME", "DNSKEY", "DS", "HTTPS", "IXFR", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV",
     "SVCB", "TXT")
)  # fmt: skip
"""Types that are counted apart; a client may ask for 65,536 of them."""


class Tallies:
    """Queries by type and result."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], list[int]] = {}

    def of(self, kind: str, rcode: str) -> list[int]:
        """The tally of a type and a result; whoever answers adds one to its only item."""
        return self._tallies.setdefault((kind if kind in _TYPES else "other", rcode), [0])

    def publish(self) -> None:
        """Bring what was counted since the last time into the metrics."""
        for (kind, rcode), tally in self._tallies.items():
            if tally[0]:
                DNS_QUERIES.labels(kind, rcode).inc(tally[0])
                tally[0] = 0
