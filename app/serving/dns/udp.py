"""Datagrams, many with one system call each way (recvmmsg(2), sendmmsg(2)): a quarter faster than one by one."""

import asyncio
import ctypes
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address

from app.telemetry.metrics import DNS_SECONDS

_BATCH = 64
_SIZE = 4096
"""The room for one message. A longer query is cut off, and so refused as malformed; answers are shorter."""

_BUFFER_BYTES = 4 * 2**20
_LENGTH_AT, _HEADER_WORDS = 14, 16
"""Where a header has the length of its message, in words of four bytes."""

_IP_PKTINFO = 8  # ip(7); the socket module does not have it
_IPV4_CONTROL_BYTES, _IPV6_CONTROL_BYTES = 32, 40
_MAPPED = bytes(10) + b"\xff\xff"

_LIBC = ctypes.CDLL(None, use_errno=True)

_Bytes = ctypes.Array[ctypes.c_char]


class _Vector(ctypes.Structure):
    """Struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """Struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Header(ctypes.Structure):
    """Struct mmsghdr."""

    _fields_ = (("message", _Message), ("length", ctypes.c_uint))


class _Batch:
    """Room for some messages, laid out for the kernel.

    Attributes:
        headers: What the system calls get.
        content: All messages, each at a multiple of their greatest size.
        vectors: Where each message is and how long, two numbers each.
    """

    def __init__(self, size: int, addresses: _Bytes, controls: _Bytes) -> None:
        # The headers have but the addresses of these.
        self._addresses, self._controls = addresses, controls
        self.headers = (_Header * _BATCH)()
        self._vectors = (_Vector * _BATCH)()
        self._buffer = (ctypes.c_char * (_BATCH * size))()
        self.content = memoryview(self._buffer).cast("B")
        self.vectors = memoryview(self._vectors).cast("B").cast("Q")
        address_bytes, control_bytes = len(addresses) // _BATCH, len(controls) // _BATCH
        for number in range(_BATCH):
            vector, message = self._vectors[number], self.headers[number].message
            vector.base, vector.length = ctypes.addressof(self._buffer) + number * size, size
            message.name, message.name_length = ctypes.addressof(addresses) + number * address_bytes, address_bytes
            message.vectors, message.vector_count = ctypes.addressof(vector), 1
            if control_bytes:
                message.control = ctypes.addressof(controls) + number * control_bytes
                message.control_length = control_bytes


class Datagrams:
    """Answers the datagrams of one socket on the running event loop.

    Args:
        listener: A bound socket.
        answer: Gets a query and its client's address, 4 or 16 bytes; None leaves the query without an answer.
    """

    def __init__(self, listener: socket.socket, answer: Callable[[bytes, bytes], bytes | None]) -> None:
        self._listener = listener
        self._answer = answer
        self._descriptor = listener.fileno()
        is_ipv4 = listener.family == socket.AF_INET
        self._address_bytes, self._address = (16, slice(4, 8)) if is_ipv4 else (28, slice(8, 24))
        addresses = (ctypes.c_char * (_BATCH * self._address_bytes))()
        controls = (ctypes.c_char * (_BATCH * self._keep_destinations()))()
        self._addresses = memoryview(addresses).cast("B")
        self._queries, self._answers = _Batch(_SIZE, addresses, controls), _Batch(_SIZE, addresses, controls)
        self._lengths = memoryview(self._queries.headers).cast("B").cast("I")[_LENGTH_AT::_HEADER_WORDS]
        self._observe = DNS_SECONDS.labels("udp").observe
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)

    def start(self) -> None:
        """Answer from now on."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._ready)

    def close(self) -> None:
        """Answer no more, and close the socket."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._listener.close()

    def _keep_destinations(self) -> int:
        """Have answers come from the address that their queries were sent to; answers the bytes that this takes.

        A socket that is bound to one address does so by itself. One that is bound to all would take the address of the
        route, and clients drop answers from an address that they did not ask (RFC 2181, 4.1).
        """
        if not ip_address(self._listener.getsockname()[0]).is_unspecified:
            return 0
        if self._listener.family == socket.AF_INET:
            self._listener.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            return _IPV4_CONTROL_BYTES
        self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        return _IPV6_CONTROL_BYTES

    def _ready(self) -> None:
        """Answer what has come, one batch; the event loop calls again if there is more."""
        count = _LIBC.recvmmsg(self._descriptor, self._queries.headers, _BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return
        started = time.perf_counter()
        queries, answers, lengths, answer = self._queries.content, self._answers.content, self._lengths, self._answer
        sizes, first = self._answers.vectors, 0
        for number in range(count):
            at = number * _SIZE
            message = answer(bytes(queries[at : at + lengths[number]]), self._client(number))
            if message is None:
                self._send(first, number)
                first = number + 1
            else:
                answers[at : at + len(message)] = message
                sizes[2 * number + 1] = len(message)
        self._send(first, count)
        self._observe(time.perf_counter() - started)

    def _client(self, number: int) -> bytes:
        at = number * self._address_bytes
        address = bytes(self._addresses[at : at + self._address_bytes][self._address])
        return address[-4:] if address.startswith(_MAPPED) else address

    def _send(self, first: int, end: int) -> None:
        """Send the answers from one number up to another. One that cannot be sent is left out, as if it were lost."""
        while first < end:
            place = ctypes.byref(self._answers.headers, first * ctypes.sizeof(_Header))
            sent = _LIBC.sendmmsg(self._descriptor, place, end - first, socket.MSG_DONTWAIT)
            first += max(sent, 1)
