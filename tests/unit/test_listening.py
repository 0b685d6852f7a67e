"""What is said of an address that cannot be listened on."""

import errno
import os
import socket

import pytest

from app.supervisor.errors import CannotListenError
from app.supervisor.listening import check_dns, reserve, reserve_dns


def failing(monkeypatch, number):
    class Refusing(socket.socket):
        def bind(self, _address):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "socket", Refusing)


@pytest.mark.parametrize(
    ("number", "host", "advice"),
    [
        (errno.EADDRINUSE, "127.0.0.1", "stop the program that does, or choose another {}-port"),
        (errno.EADDRNOTAVAIL, "127.0.0.1", "choose another {}-host, such as ::1 where there is no IPv4"),
        (errno.EADDRNOTAVAIL, "::1", "choose another {}-host"),
        (errno.EACCES, "127.0.0.1", "this user may not listen there; choose a {}-port from 1024 on"),
    ],
)
def test_the_advice_fits_the_cause_and_the_flag(monkeypatch, number, host, advice):
    failing(monkeypatch, number)
    for listen, flag in (
        (lambda: reserve(host, 80), "-"),
        (lambda: reserve(host, 80, "--health-port"), "--health"),
        (lambda: reserve_dns(host, 53), "--dns"),
        (lambda: check_dns(host, 53), "--dns"),
    ):
        with pytest.raises(CannotListenError) as refused:
            listen()
        assert advice.format(flag) in str(refused.value)
