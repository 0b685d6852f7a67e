"""DNS answers that are kept ready."""

from app.serving.dns.answer import Answer
from app.serving.dns.ready_answers import ReadyAnswers
from app.serving.dns.responder import READY_BYTES

SERVICES = 100_000
RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x0a\x60\x00\x01"


def kept(most_bytes, questions):
    """How many of some questions, asked in turn for the second time, have answers that are ready."""
    ready = ReadyAnswers(most_bytes)
    for question in questions:
        ready.put(question, Answer(0, [0], records=[RECORD], places=(question.decode(),)))
    return sum(ready.get(question) is not None for question in questions)


def test_addresses_of_a_hundred_thousand_services_stay_ready():
    assert kept(READY_BYTES, [b"%d" % number for number in range(SERVICES)]) == SERVICES


def test_memory_is_bounded():
    ready = ReadyAnswers(1_000_000)
    for number in range(10_000):
        ready.put(b"%d" % number, Answer(0, [0], records=[RECORD]))
    assert ready.size < 1_000_000 + 1_000
    assert ready.get(b"9999") is not None
    assert ready.get(b"0") is None
