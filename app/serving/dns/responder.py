"""From the bytes of a query to the bytes of its answer."""

from collections.abc import Iterable

import structlog

from app.credentials.tsig_keys import TsigKeys
from app.serving.dns.answer import Answer, Form, ZoneAnswer, bare, truncated
from app.serving.dns.answering import Answering
from app.serving.dns.cookies import Cookies
from app.serving.dns.queries import (
    CLASS_IN,
    COOKIE,
    HEADER,
    MOST_TCP_BYTES,
    OPCODE,
    QR,
    QUERY,
    RD,
    Options,
    QueryError,
    Rcode,
    opt_record,
    question_end,
    read_options,
)
from app.serving.dns.rate_limit import AMPLIFICATION, RateLimit
from app.serving.dns.ready_answers import ReadyAnswers
from app.serving.dns.signatures import UnsignedError, checked
from app.serving.dns.tallies import Tallies
from app.telemetry.metrics import DNS_LIMITED, DNS_READY_BYTES

READY_BYTES = 192 * 2**20
"""Room for the addresses of 100,000 Services, asked for in turn. With a third of it half of them had gone by then."""

_FORMS = 4096
_QUESTION_REST = 4  # bytes of type and class
_MOST_QUESTIONS = 4
"""No client asks so many at once; what stands behind them is not looked at."""

_log = structlog.stdlib.get_logger(__name__)


class Responder:
    """Answers queries. A question that was asked before costs one look into a dictionary.

    Args:
        answering: Makes the answers to questions.
        cookies: Of this server.
        limit: On what is answered over UDP.
        tallies: Counts the queries.
        keys: With which queries may be signed.
    """

    def __init__(
        self, answering: Answering, cookies: Cookies, limit: RateLimit, tallies: Tallies, keys: TsigKeys
    ) -> None:
        self._keys = keys
        self._answering = answering
        self._cookies = cookies
        self._limit = limit
        self._tallies = tallies
        self._ready = ReadyAnswers(READY_BYTES)
        # By the bytes of a query that are neither its id nor its question: few differ, but for cookies.
        self._forms: dict[bytes, tuple[Form, int]] = {}
        # By the same bytes and the client's address.
        self._trusted: dict[bytes, tuple[Form, int]] = {}

    def datagram(self, data: bytes, client: bytes) -> bytes | None:
        """Answer a query that came over UDP; None if it is to be left without an answer.

        Args:
            data: The query.
            client: The address that it seems to come from, 4 or 16 bytes.
        """
        name_end = data.find(0, HEADER) + 1
        end = name_end + _QUESTION_REST
        question = data[HEADER:end]
        rest = data[2:HEADER] + data[end:]
        answer = self._ready.newest.get(data[HEADER:name_end].lower() + data[name_end:end])
        form = self._forms.get(rest)
        if answer is None or form is None:
            trusted = self._trusted.get(rest + client)
            if answer is None or trusted is None:
                return self._carefully(data, client)
            answer.tally[0] += 1
            return answer.message(data[:2], question, *trusted)
        answer.tally[0] += 1
        return self._within_limit(answer.message(data[:2], question, *form), data, question, form[0], client)

    def stream(self, data: bytes, client: bytes) -> bytes | None:
        """Answer a query that came over TCP; see `datagram`."""
        return self._carefully(data, client, over_tcp=True)

    def forget(self, places: Iterable[str] | None) -> None:
        """Forget the answers that follow from places that have changed; None forgets all."""
        if places is None:
            self._ready.clear()
        else:
            self._ready.forget(places)

    def keep_up(self) -> None:
        """Publish the measurements, and have cookies looked at again; called once a second."""
        self._tallies.publish()
        DNS_READY_BYTES.set(self._ready.size)
        self._trusted.clear()

    def _carefully(self, data: bytes, client: bytes, *, over_tcp: bool = False) -> bytes | None:
        """Answer a query that may be anything."""
        if len(data) < HEADER or data[2] & QR >> 8:
            return None
        try:
            return self._answer(data, client, over_tcp=over_tcp)
        except QueryError as error:
            self._tallies.of("", error.rcode.name)[0] += 1
            return _failure(data, error)
        except Exception:  # noqa: BLE001 - the client is told, and the server goes on
            _log.exception("a DNS query could not be answered")
            self._tallies.of("", Rcode.SERVFAIL.name)[0] += 1
            return _failure(data, QueryError(Rcode.SERVFAIL))

    def _answer(self, data: bytes, client: bytes, *, over_tcp: bool) -> bytes:
        questions = int.from_bytes(data[4:6], "big")
        if data[2] & OPCODE >> 8 != QUERY:
            raise QueryError(Rcode.NOTIMP, opt=self._opt(data, questions, client))
        if questions > 1:
            raise QueryError(Rcode.FORMERR, opt=self._opt(data, questions, client))
        end = question_end(data) if questions else HEADER
        options = read_options(data, end)
        form, is_trusted = self._form(options, client, over_tcp=over_tcp)
        question = data[HEADER:end]
        if not questions:
            return self._cookie_alone(data, options, form)
        if int.from_bytes(question[-2:], "big") != CLASS_IN:
            raise QueryError(Rcode.REFUSED, question, form.opt)
        if options.signed:
            return self._signed(data, client, over_tcp=over_tcp)
        # Only the name: 65, the number of the type HTTPS, is a capital letter.
        key = question[:-_QUESTION_REST].lower() + question[-_QUESTION_REST:]
        answer = self._ready.get(key)
        if answer is None:
            answer = self._made(key, question, form)
        answer.tally[0] += 1
        message = answer.message(data[:2], question, form, form.variant)
        if over_tcp:
            return message
        self._remember(data[2:HEADER] + data[end:], client, options, form, is_trusted=is_trusted)
        return message if is_trusted else self._within_limit(message, data, question, form, client)

    def _signed(self, data: bytes, client: bytes, *, over_tcp: bool) -> bytes:
        """Answer a signed query, and sign the answer, as secondaries ask for serials (RFC 8945)."""
        try:
            query, signer = checked(data, self._keys)
        except UnsignedError as error:
            self._tallies.of("", Rcode.NOTAUTH.name)[0] += 1
            return error.answer
        try:
            answer = self._answer(query, client, over_tcp=over_tcp)
        except QueryError as error:
            answer = _failure(query, error)
        return signer.sign(answer)

    def _made(self, key: bytes, question: bytes, form: Form) -> Answer | ZoneAnswer:
        try:
            answer = self._answering.answer(key)
        except QueryError as error:
            raise QueryError(error.rcode, question, form.opt) from error
        self._ready.put(key, answer)
        return answer

    def _opt(self, data: bytes, questions: int, client: bytes) -> bytes:
        """The OPT record of an answer to what is not answered: there is one if the query has one (RFC 6891, 6.1.1)."""
        if questions > _MOST_QUESTIONS:
            return b""
        end = HEADER
        try:
            for _ in range(questions):
                end = question_end(data, end)
            return self._form(read_options(data, end), client, over_tcp=False)[0].opt
        except QueryError:
            return b""

    def _form(self, options: Options, client: bytes, *, over_tcp: bool) -> tuple[Form, bool]:
        """The form of the answer, and whether the client's address is certain."""
        size = MOST_TCP_BYTES if over_tcp else options.size
        if not options.edns:
            return Form(options.flags, size), over_tcp
        data, is_right = b"", False
        if options.cookie:
            cookie, is_right = self._cookies.answer(options.cookie, client)
            data = COOKIE.to_bytes(2, "big") + len(cookie).to_bytes(2, "big") + cookie
        return Form(options.flags, size, opt_record(data, do=options.do)), over_tcp or is_right

    def _remember(self, rest: bytes, client: bytes, options: Options, form: Form, *, is_trusted: bool) -> None:
        known = self._trusted if is_trusted else self._forms
        if options.cookie and not is_trusted:
            return
        if len(known) >= _FORMS:
            known.clear()
        known[rest + client if is_trusted else rest] = (form, form.variant)

    def _cookie_alone(self, data: bytes, options: Options, form: Form) -> bytes:
        """A query without a question asks for a cookie (RFC 7873, 5.4)."""
        if not options.cookie:
            raise QueryError(Rcode.FORMERR)
        return data[:2] + bare(QR | options.flags, b"", form.opt)

    def _within_limit(self, message: bytes, data: bytes, question: bytes, form: Form, client: bytes) -> bytes:
        """The message, or a short one if the client's network has had enough of long ones."""
        if len(message) <= AMPLIFICATION * len(data) or self._limit.admits(client, len(message), len(data)):
            return message
        DNS_LIMITED.inc()
        return truncated(message, question, form.opt)


def _failure(data: bytes, error: QueryError) -> bytes:
    flags = QR | int.from_bytes(data[2:4], "big") & (OPCODE | RD) | error.rcode & 0xF
    return data[:2] + bare(flags, error.question, error.opt)
