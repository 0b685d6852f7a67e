"""The spans of writes: each begins when the write joins the queue, and ends with its outcome.

The context of a span goes into the store with the write, so that whoever works on what was stored goes on in its trace.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from app.store.writes import Committed, Outcome, Write
from app.telemetry import tracing

_NAME = "store"


class WriteSpans:
    """The spans of some writes that wait; without any where no traces are wanted, or these are in none.

    Args:
        writes: In their order.
        together: Whether they have one outcome, and so one span.

    Attributes:
        writes: The same with the contexts of their spans.
    """

    def __init__(self, writes: Sequence[Write], *, together: bool = False) -> None:
        self.writes = writes
        self._spans: list[tracing.Span | None] = []
        if not tracing.is_on():
            return
        inside = tracing.present() is not None
        if together:
            span = _begun(writes[0], len(writes)) if inside else None
            self._spans = [span]
            self.writes = [replace(write, trace=_context(span)) for write in writes]
        elif inside or any(write.trace for write in writes):
            self._spans = [_begun(write, 1) if inside or write.trace else None for write in writes]
            pairs = zip(writes, self._spans, strict=True)
            self.writes = [replace(write, trace=_context(span)) for write, span in pairs]

    def end_with(self, futures: Sequence[asyncio.Future[Any]]) -> None:
        """End each span when its outcome is known."""
        for span, future in zip(self._spans, futures, strict=False):
            if span is not None:
                future.add_done_callback(partial(_end, span))


def _begun(write: Write, writes: int) -> tracing.Span | None:
    return tracing.begin(
        _NAME,
        write.trace,
        kind=tracing.SpanKind.CLIENT,
        db__system__name="postgresql",
        fairlead__action=write.action,
        fairlead__kind=write.kind,
        fairlead__namespace=write.namespace,
        fairlead__name=write.name,
        fairlead__writes=writes,
    )


def _context(span: tracing.Span | None) -> str:
    return "" if span is None else tracing.context_of(span)


def _end(span: tracing.Span, future: "asyncio.Future[Any]") -> None:
    if future.cancelled():
        tracing.fail(span, "nobody waits for the outcome any more")
    elif (error := future.exception()) is not None:
        tracing.fail(span, str(error))
    else:
        outcomes: Sequence[Outcome] = future.result() if isinstance(future.result(), list) else [future.result()]
        first = outcomes[0]
        tracing.tell(span, fairlead__outcome=type(first).__name__)
        if isinstance(first, Committed) and first.revision is not None:
            tracing.tell(span, fairlead__revision=first.revision)
    span.end()
