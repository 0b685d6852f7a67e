"""Probes over TLS, which take any certificate, by a real Envoy and a real HAProxy."""

import contextlib
import socket
import ssl
import threading

import pytest
import trustme

from app.domain.wanted.traffic import Member, Probing
from tests.dataplane.backends import Backend
from tests.dataplane.envoys import traffic, until_greeted

VIP = "127.20.0.1"


class Probed:
    """Answers requests over TLS with a status, if a line of the PROXY protocol comes before where one has to."""

    def __init__(self, *, proxied):
        self._proxied = proxied
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("nobody.example.org").configure_cert(self._context)
        self.status = "200 OK"

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # so that `accept` returns
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    self._answer(connection)

    def _answer(self, connection):
        if self._proxied:
            line = b""
            while not line.endswith(b"\n"):
                byte = connection.recv(1)
                if not byte:
                    return
                line += byte
            if not line.startswith(b"PROXY "):
                return
        with self._context.wrap_socket(connection, server_side=True) as secure:
            request = secure.recv(65536)
            status = self.status if request.startswith(b"GET /well ") else "404 Not Found"
            secure.sendall(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())


@pytest.mark.parametrize("version", [0, 1], ids=["plain", "PROXY"])
async def test_a_member_that_is_not_well_gets_nothing_until_it_is(balancer, port, version):
    with Probed(proxied=bool(version)) as probed:
        async with Backend("one") as one:
            member, probing = Member("127.0.0.1", one.port, probed.port), Probing("Https", "/well", 1, 1)
            await balancer.put(traffic([(VIP, port)], [member], probing=probing, proxy_protocol=version))
            await until_greeted(VIP, port, "one")
            probed.status = "503 Service Unavailable"
            await until_greeted(VIP, port, "")
            probed.status = "200 OK"
            await until_greeted(VIP, port, "one")
