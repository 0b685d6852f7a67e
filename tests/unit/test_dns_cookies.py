"""Cookies that other servers made, from the appendix of RFC 9018, and SipHash's own vector."""

import pytest

from app.serving.dns import cookies
from app.serving.dns.cookies import Cookies, siphash

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
OWN = bytes.fromhex("2464c4abcf10c957")
CLIENT = bytes([198, 51, 100, 100])
MADE_AT = 0x5CF79F11
SERVER = bytes.fromhex("010000005cf79f111f8130c3eee29480")


def test_siphash():
    assert siphash(bytes(range(16)), bytes(range(15))).hex() == "e545be4961ca29a1"
    assert siphash(bytes(range(16)), b"").hex() == "310e0edd47db6f72"


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the clock shows, to be set by the test."""

    class Clock:
        seconds = MADE_AT

        def time(self):
            return self.seconds

    found = Clock()
    monkeypatch.setattr(cookies, "time", found)
    return found


@pytest.mark.usefixtures("clock")
def test_a_client_learns_its_cookie():
    assert Cookies((SECRET,)).answer(OWN, CLIENT) == (OWN + SERVER, False)


@pytest.mark.parametrize(
    ("later", "renewed", "right"),
    [(0, False, True), (1800, False, True), (1801, True, True), (3600, True, True), (3601, True, False),
     (-300, False, True), (-301, True, False), (2**31, True, False)],
)  # fmt: skip
def test_a_cookie_is_right_for_an_hour_and_renewed_after_half_of_it(clock, later, renewed, right):
    clock.seconds = MADE_AT + later
    answer, is_right = Cookies((SECRET,)).answer(OWN + SERVER, CLIENT)
    assert (answer != OWN + SERVER, is_right) == (renewed, right)
    assert answer[:8] == OWN
    assert Cookies((SECRET,)).answer(answer, CLIENT)[1]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("given", "client"),
    [
        (OWN + SERVER, bytes([198, 51, 100, 101])),
        (bytes(8) + SERVER, CLIENT),
        (OWN + SERVER[:-1] + b"\x81", CLIENT),
        (OWN + b"\x02" + SERVER[1:], CLIENT),
        (OWN + SERVER[:8], CLIENT),
        (OWN + SERVER + bytes(16), CLIENT),
    ],
)
def test_a_cookie_of_somebody_else_is_wrong(given, client):
    assert not Cookies((SECRET,)).answer(given, client)[1]


@pytest.mark.usefixtures("clock")
def test_an_old_secret_is_checked_with_and_a_new_one_makes_cookies():
    new = bytes(16)
    both = Cookies((new, SECRET))
    assert both.answer(OWN + SERVER, CLIENT)[1]
    made, _ = both.answer(OWN, CLIENT)
    assert not Cookies((SECRET,)).answer(made, CLIENT)[1]
    both.replace((new,))
    assert both.answer(made, CLIENT)[1]
    assert not both.answer(OWN + SERVER, CLIENT)[1]
