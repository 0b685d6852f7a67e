"""What a driver of a load balancer can do, and a fake that does it in memory."""

from collections.abc import Mapping
from typing import Protocol

from app.domain.wanted.traffic import Traffic

ServiceKey = tuple[str, str]
"""Namespace and name of a Service."""


class LoadBalancerError(Exception):
    """A load balancer did not take what it was told.

    Attributes:
        reason: Why, as one word in CamelCase: NotRunning, NotReloaded, NotWritten.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LoadBalancerPushes(Protocol):
    """A load balancer."""

    async def push(self, wanted: Mapping[ServiceKey, Traffic]) -> Mapping[ServiceKey, str]:
        """Have it do what is wanted, and nothing else.

        Returns:
            What it cannot do, in words, by Service; all the rest it does.

        Raises:
            LoadBalancerError: It does not do it; perhaps later.
        """

    async def version(self) -> str:
        """The program and its version.

        Raises:
            LoadBalancerError: It cannot be asked.
        """


class FakeLoadBalancer:
    """Keeps what it was told.

    Attributes:
        wanted: What it was told last.
        refused: What it shall answer.
        failure: What it shall raise; None for nothing.
    """

    def __init__(self) -> None:
        self.wanted: Mapping[ServiceKey, Traffic] = {}
        self.refused: Mapping[ServiceKey, str] = {}
        self.failure: LoadBalancerError | None = None

    async def push(self, wanted: Mapping[ServiceKey, Traffic]) -> Mapping[ServiceKey, str]:
        """Keep it."""
        if self.failure is not None:
            raise self.failure
        self.wanted = dict(wanted)
        return self.refused

    async def version(self) -> str:
        """Its name."""
        return "fake"
