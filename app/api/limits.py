"""What clients may use of the server."""

from collections import Counter
from dataclasses import dataclass

from app.domain.errors import TooManyRequests
from app.telemetry.metrics import BODIES_REFUSED

_OF_WHAT_IS_FREE = 3
"""How many times what is free one user's bodies may take (dynamic thresholds: Choudhury and Hahne, 1998)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the HTTP edge, of one process.

    Attributes:
        body_bytes: Size of a request body; 3 MiB, as in Kubernetes.
        bodies_bytes: Size of the bodies of all requests that are in memory at once.
        reads: Requests that do not write that are answered at once; a watch counts until it has begun.
        writes: Requests that write and are answered at once.
        user_waiting: Requests of one user that may wait in each class for their turn, a quarter of it for lists.
        watches: Watches open at once.
        user_watches: Watches of one user open at once, unless the user is in system:masters.
        user_connections: Connections of one user open at once, unless the user is in system:masters.
        source_connections: Connections of one address open at once of which nobody has said whose they are.
        request_seconds: Time to answer a request that is no watch.
        unread_seconds: Time in which a client must read something of what it is sent.
        head_seconds: Time a client may take to send a request's head.
        head_bytes: Size of all that a request has beside its body: request line, headers, chunk sizes, trailers.
        head_lines: Header lines of a request.
        pipelined: Requests of a connection that may wait while another one of it is being answered.
        linger_bytes: What is still read of a client that sends on although it was answered.
        linger_seconds: Time that such a client has to read the answer.
    """

    body_bytes: int = 3 * 1024 * 1024
    bodies_bytes: int = 128 * 1024 * 1024
    reads: int = 400
    writes: int = 200
    user_waiting: int = 1000
    watches: int = 10_000
    user_watches: int = 5000
    user_connections: int = 6000
    source_connections: int = 3000
    request_seconds: float = 60.0
    unread_seconds: float = 20.0
    head_seconds: float = 10.0
    head_bytes: int = 64 * 1024
    head_lines: int = 200
    pipelined: int = 16
    linger_bytes: int = 128 * 1024 * 1024
    linger_seconds: float = 30.0


class BodyBudget:
    """The memory of one process for the bodies of all its requests.

    A body counts as far as it has come, until its request is answered. No user takes it all: each may have three times
    what is free, so that one alone has three quarters of it, and some is always left for the next.

    Args:
        limit: Bytes.

    Attributes:
        used: Bytes that bodies take now.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._of_users: Counter[str] = Counter()
        self.used = 0

    def take(self, user: str, size: int) -> None:
        """Count some more bytes of a body.

        Raises:
            TooManyRequests: There is no room for them; they are not counted.
        """
        if self.used + size > self._limit:
            BODIES_REFUSED.labels("process").inc()
            raise TooManyRequests(
                f"the bodies of all requests take {self.used} bytes of memory, of at most {self._limit}; try again",
                retry_after=1,
            )
        of_user = self._of_users[user]
        if of_user + size > _OF_WHAT_IS_FREE * (self._limit - self.used - size):
            BODIES_REFUSED.labels("user").inc()
            raise TooManyRequests(
                f'the bodies of requests of user "{user}" take {of_user} bytes of memory, and the rest is for others; '
                "send fewer at once, or try again",
                retry_after=1,
            )
        self._of_users[user] += size
        self.used += size

    def give_back(self, user: str, size: int) -> None:
        """Count bytes no more."""
        if size:
            self.used -= size
            self._of_users[user] -= size
            if not self._of_users[user]:
                del self._of_users[user]
