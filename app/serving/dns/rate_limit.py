"""What keeps the server from being used to flood somebody whose address is forged (amplification)."""

from collections.abc import Callable

AMPLIFICATION = 3
"""An answer of so many times the bytes of its query is of no use for an attack. QUIC has the same (RFC 9000, 8)."""

_NETWORKS = 65_536
"""So many networks are remembered. An attack in the name of more of them gives each little."""

_BURST_SECONDS = 2
_IPV4_BYTES, _IPV4_NETWORK, _IPV6_NETWORK = 4, 3, 7


class RateLimit:
    """A budget for each network of clients: of bytes beyond the allowed amplification, over UDP and without a cookie.

    A network is a /24 of IPv4 or a /56 of IPv6. What is beyond the budget is answered with a truncated answer, no
    longer than the query, upon which an honest client comes back over TCP.

    Args:
        rate: Bytes a second for one network; it may use two seconds' bytes at once.
        clock: The seconds, monotonic.
    """

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._budgets: dict[bytes, tuple[float, float]] = {}

    def admits(self, client: bytes, answer: int, query: int) -> bool:
        """Whether an answer may be sent; if so, it is counted.

        Args:
            client: The address, 4 or 16 bytes.
            answer: Its bytes.
            query: Those of the query.
        """
        excess = answer - AMPLIFICATION * query
        if excess <= 0:
            return True
        network = client[: _IPV4_NETWORK if len(client) == _IPV4_BYTES else _IPV6_NETWORK]
        now, most = self._clock(), self._rate * _BURST_SECONDS
        left, since = self._budgets.pop(network, (most, now))
        left = min(most, left + (now - since) * self._rate)
        admitted = excess <= left
        self._budgets[network] = (left - excess if admitted else left, now)
        if len(self._budgets) > _NETWORKS:
            del self._budgets[next(iter(self._budgets))]
        return admitted
