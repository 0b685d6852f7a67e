"""What a client may use of the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the HTTP edge, of one process.

    Attributes:
        body_bytes: Size of a request body; Kubernetes' own limit (3 MiB).
        in_flight: Requests being answered at once, watches aside.
        watches: Watches open at once.
        request_seconds: Time to answer a request that is no watch.
        unread_seconds: How long a client may leave what it was sent unread.
        head_seconds: Time a client may take to send a request's head.
        head_bytes: Size of all that a request has beside its body: request line, headers, chunk sizes, trailers.
        head_lines: Header lines of a request.
        pipelined: Requests of a connection that may wait while another one of it is being answered.
        linger_bytes: What is still read of a client that sends on although it was answered.
        linger_seconds: Time that such a client has to read the answer.
    """

    body_bytes: int = 3 * 1024 * 1024
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
