"""Ports for programs that have to be told theirs."""

import random
import socket

_PORTS = range(10_000, 30_000)
"""Below node ports, and below what the kernel gives to connections, one of which could take it first."""

_chance = random.SystemRandom()  # the common one may begin anew in each test


def free_port():
    """A port that nobody has, for TCP and UDP."""
    while True:
        address = ("127.0.0.1", _chance.choice(_PORTS))
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind(address)
                datagrams.bind(address)
            except OSError:
                continue
            return address[1]
