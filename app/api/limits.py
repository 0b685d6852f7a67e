"""What clients may use of the server."""

from dataclasses import dataclass

from app.domain.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the HTTP edge, of one process.

    Attributes:
        body_bytes: Size of a request body; 3 MiB, as in Kubernetes.
        bodies_bytes: Size of the bodies of all requests that are in memory at once.
        in_flight: Requests being answered at once, watches aside.
        watches: Watches open at once.
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
    in_flight: int = 1000
    watches: int = 10_000
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

    A body counts as far as it has come, until its request is answered.

    Args:
        limit: Bytes.

    Attributes:
        used: Bytes that bodies take now.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def take(self, size: int) -> None:
        """Count some more bytes of a body.

        Raises:
            TooManyRequests: There is no room for them; they are not counted.
        """
        if self.used + size > self._limit:
            raise TooManyRequests(
                f"the bodies of all requests take {self.used} bytes of memory, of at most {self._limit}; try again",
                retry_after=1,
            )
        self.used += size

    def give_back(self, size: int) -> None:
        """Count bytes no more."""
        self.used -= size
