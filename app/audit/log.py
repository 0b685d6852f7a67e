"""The audit log of one process: lines that are written, and lines that could not be written yet."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Literal, Protocol

import structlog

from app.telemetry.metrics import AUDIT_ERRORS, AUDIT_EVENTS, AUDIT_PENDING, AUDIT_REJECTED

Mode = Literal["batch", "blocking", "blocking-strict"]

BUFFERED_BYTES = 16 * 1024 * 1024
"""Bytes of lines that wait to be written; what comes beyond is dropped, and counted."""
_BATCH_SECONDS = 0.2
_PIECE_BYTES = 256 * 1024
_TELL_AGAIN = 1000
"""A failure is logged when it begins, and after so many lines again."""

_log = structlog.stdlib.get_logger(__name__)


class Destination(Protocol):
    """Where lines go.

    Attributes:
        place: Its name, for people.
    """

    place: str

    def tail(self, most: int) -> bytes | None:
        """The last bytes that were written, at most so many; None where nothing can be read back.

        Raises:
            OSError: They cannot be read.
        """
        ...

    def append(self, lines: bytes) -> int:
        """Write lines; answers how many bytes were written.

        Raises:
            OSError: Nothing could be written.
        """
        ...

    def close(self) -> None:
        """Close it."""
        ...


class AuditLog:
    """Writes lines.

    `blocking` writes each line before `write` returns. `batch` writes them a moment later in another thread, so that a
    slow disk holds up nobody; a process that is killed loses those of that moment. A line that cannot be written is
    kept, and written before the next one; `blocking-strict` lets requests be refused meanwhile.

    Args:
        destination: Where they go.
        mode: When they are written.
        buffered_bytes: Bytes that may wait.

    Attributes:
        gathers: Whether lines may be gathered; in the mode `batch` no answer waits for one.
    """

    def __init__(self, destination: Destination, mode: Mode = "blocking", buffered_bytes: int = BUFFERED_BYTES) -> None:
        self._destination = destination
        self._mode = mode
        self._limit = buffered_bytes
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._failures = 0
        self._is_broken = False
        self._told = asyncio.Event()
        self._gathered: list[bytes] = []
        self._held: dict[asyncio.WriteTransport, list[bytes]] = {}
        self.gathers = mode != "batch"

    def gather(self, line: bytes) -> None:
        """Write a line at the end of this turn of the event loop, with all others of the turn in one write.

        Until then `send` keeps back what is sent, so that no answer leaves before its line is written.
        """
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.release)
        self._gathered.append(line)

    def send(self, transport: asyncio.WriteTransport, answer: bytes) -> None:
        """Send a part of an answer, as soon as the lines that were gathered before are written."""
        if self._gathered:
            self._held.setdefault(transport, []).append(answer)
        else:
            transport.write(answer)

    def release(self) -> None:
        """Write the lines that were gathered, and let the answers go that waited for it."""
        if not self._gathered:
            return
        lines, held = self._gathered, self._held
        self._gathered, self._held = [], {}
        AUDIT_EVENTS.inc(len(lines))
        if self._waiting or not self._append(b"".join(lines)):
            for line in lines:
                self._keep(line)
            if len(self._waiting) > len(lines):
                self._flush()
        for transport, answers in held.items():
            if not transport.is_closing():
                transport.write(b"".join(answers))

    @property
    def place(self) -> str:
        """Where lines go, for people."""
        return self._destination.place

    async def tail(self, most: int) -> bytes | None:
        """The last bytes that were written, at most so many; None where nothing can be read back.

        Raises:
            OSError: They cannot be read.
        """
        return await asyncio.to_thread(self._destination.tail, most)

    def write(self, line: bytes) -> None:
        """Write a line, which ends with a line feed, after those that were gathered."""
        self.release()
        AUDIT_EVENTS.inc()
        if self._mode != "batch" and not self._waiting and self._append(line):
            return
        self._keep(line)
        if self._mode != "batch" and len(self._waiting) > 1:
            self._flush()

    def accepts(self) -> bool:
        """Whether a request may be carried out: always, but in the mode `blocking-strict` while a line waits."""
        if self._mode != "blocking-strict" or not self._waiting or self._flush():
            return True
        AUDIT_REJECTED.inc()
        return False

    async def run(self) -> None:
        """Write what waits, until cancelled; then what is left."""
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), None if not self._waiting else _BATCH_SECONDS)
                self._told.clear()
                await asyncio.sleep(_BATCH_SECONDS)
                if self._mode == "batch":
                    await self._flush_apart()
                else:
                    self._flush()
        finally:
            self.release()
            self._flush()
            self._destination.close()

    def _keep(self, line: bytes) -> None:
        if self._waiting_bytes + len(line) > self._limit:
            self._fail("the audit log takes no more lines; one is dropped")
            return
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        self._told.set()
        AUDIT_PENDING.set(self._waiting_bytes)

    def _flush(self) -> bool:
        """Write what waits, in pieces of whole lines; tells whether nothing waits any more."""
        while self._waiting:
            piece = self._piece()
            if not self._append(b"".join(piece)):
                return False
            self._forget(piece)
        return True

    async def _flush_apart(self) -> None:
        """The same, with the disk in another thread."""
        while self._waiting:
            writing = asyncio.create_task(self._write_apart(self._piece()))
            try:
                written = await asyncio.shield(writing)
            except asyncio.CancelledError:
                # The thread goes on: what it writes must not be written again at the end.
                await asyncio.wait([writing])
                raise
            if not written:
                return

    async def _write_apart(self, piece: list[bytes]) -> bool:
        written = await asyncio.to_thread(self._append, b"".join(piece))
        if written:
            self._forget(piece)
        return written

    def _piece(self) -> list[bytes]:
        """The lines that are written next."""
        piece: list[bytes] = []
        size = 0
        for line in self._waiting:
            size += len(line)
            if piece and size > _PIECE_BYTES:
                break
            piece.append(line)
        return piece

    def _forget(self, piece: list[bytes]) -> None:
        for line in piece:
            self._waiting.popleft()
            self._waiting_bytes -= len(line)
        AUDIT_PENDING.set(self._waiting_bytes)

    def _append(self, lines: bytes) -> bool:
        """Write lines; tells whether all of them are written."""
        # A line of which the disk had room for a part only is ended, and written again.
        whole = b"\n" + lines if self._is_broken else lines
        try:
            written = self._destination.append(whole)
        except OSError as error:
            self._fail("the audit log cannot be written", error=str(error))
            return False
        if written < len(whole):
            self._is_broken = True
            self._fail("the audit log was written in part: is the disk full?")
            return False
        if self._failures:
            _log.warning("the audit log is written again", failures=self._failures)
        self._is_broken, self._failures = False, 0
        return True

    def _fail(self, what: str, **details: str) -> None:
        AUDIT_ERRORS.labels("log").inc()
        if self._failures % _TELL_AGAIN == 0:
            _log.error(what, mode=self._mode, **details)
        self._failures += 1
