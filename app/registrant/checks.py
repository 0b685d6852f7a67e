"""Whether a program is well: it takes connections, or answers a request."""

import socket
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

_TIMEOUT_SECONDS = 2.0
_START_SECONDS = 5.0

Check = Callable[[], bool]


def takes_connections(address: str, port: int) -> Check:
    """Well while it takes TCP connections."""

    def check() -> bool:
        try:
            socket.create_connection((address, port), _TIMEOUT_SECONDS).close()
        except OSError:
            return False
        return True

    return check


def answers(address: str, port: int, path: str) -> Check:
    """Well while it answers a GET with a status from 200 to 399, as a kubelet's HTTP probe."""
    host = f"[{address}]" if ":" in address else address

    def check() -> bool:
        try:
            status = httpx.get(f"http://{host}:{port}{path}", timeout=_TIMEOUT_SECONDS, trust_env=False).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST

    return check


def takes_connections_once(address: str, port: int) -> Check:
    """Well from its first connection on, and in any case after some seconds: then as long as it runs."""
    begun, first = time.monotonic(), takes_connections(address, port)
    has_started = False

    def check() -> bool:
        nonlocal has_started
        has_started = has_started or first() or time.monotonic() > begun + _START_SECONDS
        return has_started

    return check
