"""Answers that are ready but for what differs from one query to the next."""

import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, islice

import msgspec

from app.domain.rules.zone_description import ZoneDescription
from app.serving.dns.queries import CD, HEADER, LEAST_UDP_BYTES, QR, RD, TC

_AA = 0x0400
_REPEATED = (0, RD, CD, RD | CD)
"""What a query's flags may be that its answer repeats."""

_OVERHEAD = 600
"""Bytes of the Python objects of an answer, roughly."""


class Form(msgspec.Struct, frozen=True):
    """The form that a query asks its answer to have.

    Attributes:
        flags: Those of the query that the answer repeats.
        size: The most bytes of the answer.
        opt: The OPT record of the answer, empty if the query has none.
    """

    flags: int = 0
    size: int = LEAST_UDP_BYTES
    opt: bytes = b""

    @property
    def variant(self) -> int:
        """Which of an answer's headers it has."""
        return _REPEATED.index(self.flags) * 2 + bool(self.opt)


def header(flags: int, questions: int, answers: int, authorities: int, additionals: int) -> bytes:
    """A header without its id."""
    return b"".join(each.to_bytes(2, "big") for each in (flags, questions, answers, authorities, additionals))


@lru_cache(maxsize=1024)
def _headers(flags: int, answers: int, authorities: int, additionals: int) -> tuple[bytes, ...]:
    """The headers of an answer, by the variant of the form. Few differ, so answers share them."""
    return tuple(
        header(flags | repeated, 1, answers, authorities, additionals + edns)
        for repeated in _REPEATED
        for edns in (0, 1)
    )


class Answer:
    """The answer to one question.

    Attributes:
        places: What it follows from: it holds until one of them changes.
        tally: Counts the queries that it answered; shared by all answers of a type and result.
    """

    __slots__ = (
        "_additional",
        "_additionals",
        "_aliases",
        "_flags",
        "_headers",
        "_records",
        "_size",
        "places",
        "tally",
    )

    def __init__(
        self,
        rcode: int,
        tally: list[int],
        *,
        records: Sequence[bytes] = (),
        aliases: Sequence[bytes] = (),
        additional: Sequence[bytes] = (),
        authoritative: bool = True,
        places: tuple[str, ...] = (),
    ) -> None:
        """Put it together.

        Args:
            rcode: The result.
            tally: See the class.
            records: Of the last name; their order differs from answer to answer.
            aliases: CNAME records, before those.
            additional: Addresses; left out where they do not fit.
            authoritative: Whether the server has authority for the name.
            places: See the class.
        """
        self.places, self.tally = places, tally
        self._records, self._aliases = list(records), tuple(aliases)
        self._additional, self._additionals = b"".join(additional), len(additional)
        self._flags = QR | (_AA if authoritative else 0) | rcode
        self._headers = _headers(self._flags, len(records) + len(aliases), 0, len(additional))
        self._size = HEADER + sum(map(len, (*records, *aliases))) + len(self._additional)

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, roughly."""
        return _OVERHEAD + self._size

    def message(self, number: bytes, question: bytes, form: Form, variant: int) -> bytes:
        """The answer to a query.

        Args:
            number: The id of the query.
            question: As the query has it; names in capitals stay so.
            form: That the answer has to have.
            variant: Of the form.
        """
        if self._size + len(question) + len(form.opt) > form.size:
            return self._cut(number, question, form)
        records = self._records
        if len(records) > 1:
            # Each record comes first equally often. One exchange is enough for that, and cheaper than shuffling all.
            chosen = int(random.random() * len(records))  # noqa: S311 - balances load, keeps no secret
            records[0], records[chosen] = records[chosen], records[0]
        return b"".join(
            (number, self._headers[variant], question, *self._aliases, *records, self._additional, form.opt)
        )

    def _cut(self, number: bytes, question: bytes, form: Form) -> bytes:
        """As much of the answer as fits, marked as truncated if that is not all of its records (RFC 2181, 9)."""
        room = form.size - HEADER - len(question) - len(form.opt)
        start = int(random.random() * len(self._records))  # noqa: S311 - as above
        fitting = []
        # There may be thousands of records, of which some dozens fit.
        for record in chain(self._aliases, islice(self._records, start, None), islice(self._records, start)):
            room -= len(record)
            if room < 0:
                break
            fitting.append(record)
        whole = len(fitting) == len(self._aliases) + len(self._records)
        flags = self._flags | form.flags | (0 if whole else TC)
        return b"".join((number, header(flags, 1, len(fitting), 0, bool(form.opt)), question, *fitting, form.opt))


class ZoneAnswer:
    """The answer with the SOA record of a zone: that there is nothing of the kind (RFC 2308), or the record itself.

    The record is put in when the answer is sent. So an answer that stays the same holds though the serial changes.

    Attributes:
        places: See `Answer`.
        tally: Likewise.
    """

    __slots__ = ("_aliases", "_headers", "_owner", "_soa", "_zone", "places", "tally")

    def __init__(
        self,
        rcode: int,
        tally: list[int],
        *,
        owner: bytes,
        zone: ZoneDescription,
        soa: Callable[[ZoneDescription], bytes],
        aliases: Sequence[bytes] = (),
        is_asked: bool = False,
        places: tuple[str, ...] = (),
    ) -> None:
        """Put it together.

        Args:
            rcode: The result.
            tally: See `Answer`.
            owner: The name of the zone as bytes, or as a pointer into the question.
            zone: The zone.
            soa: Tells the present SOA record of a zone, without its owner name.
            aliases: CNAME records that led to the last name.
            is_asked: Whether the SOA record is the answer to the question.
            places: See `Answer`.
        """
        self.places, self.tally = places, tally
        self._owner, self._zone, self._soa, self._aliases = owner, zone, soa, b"".join(aliases)
        self._headers = _headers(QR | _AA | rcode, len(aliases) + is_asked, 0 if is_asked else 1, 0)

    @property
    def size(self) -> int:
        """See `Answer`."""
        return _OVERHEAD + len(self._aliases)

    def message(self, number: bytes, question: bytes, form: Form, variant: int) -> bytes:
        """See `Answer`."""
        found = b"".join(
            (
                number,
                self._headers[variant],
                question,
                self._aliases,
                self._owner,
                self._soa(self._zone),
                form.opt,
            )
        )
        return found if len(found) <= form.size else truncated(found, question, form.opt)


def truncated(message: bytes, question: bytes, opt: bytes) -> bytes:
    """Of a message what says that the whole one can be had over TCP. It is about as long as its query."""
    return message[:2] + bare(int.from_bytes(message[2:4], "big") | TC, question, opt)


def bare(flags: int, question: bytes, opt: bytes) -> bytes:
    """A message without records and without its id; the question and the OPT record may be empty."""
    return header(flags, bool(question), 0, 0, bool(opt)) + question + opt
