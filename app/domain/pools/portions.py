"""What API processes and the reconciler tell each other of stocks."""

import msgspec

StockKey = tuple[str, str, str]
"""A pool as stocks speak of it: table of its claims, its name and the IP family; the last two are "" for node ports."""

CLUSTER_IP_POOL = "ClusterIP"
"""The name of the pool of ClusterIPs."""

KEPT_SECONDS = 60.0
"""How long a process gives from what it was sent."""

SET_ASIDE_SECONDS = 90.0
"""How long the reconciler sets it aside: longer, for the time it is under way and until a use of it is in the log."""

ENOUGH = 512
"""How many values of a pool an API process asks for."""


POOLS_AT_ONCE = 16
"""Of how many pools it asks at once: a message has 8,000 bytes at most, and the name of a pool 253."""


class Wanted(msgspec.Struct, frozen=True):
    """What an API process asks for.

    Attributes:
        process: Names the process.
        pools: How many values of each pool.
    """

    process: str
    pools: list[tuple[StockKey, int]]


class Portion(msgspec.Struct, frozen=True):
    """What the reconciler has set aside for an API process.

    Attributes:
        process: Names the process.
        epoch: Of the lease of the allocation: another owner does not know what this one has set aside.
        pool: Of which the values are.
        values: Addresses in canonical text, or ports.
    """

    process: str
    epoch: int
    pool: StockKey
    values: list[str | int]
