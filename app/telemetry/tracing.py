"""Spans of a trace, as OpenTelemetry has them. Where no traces are wanted, nothing is done and nothing is loaded.

A context is a text in the form of the header `traceparent` (W3C Trace Context, 3.2). So it goes through the database.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

Span = trace.Span
SpanKind = trace.SpanKind

_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing(Protocol):
    """What makes spans."""

    def start_span(
        self,
        name: str,
        context: context.Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        *,
        start_time: int | None = None,
    ) -> trace.Span:
        """A new span."""


_tracing: Tracing | None = None


def use(tracing: Tracing | None) -> None:
    """Make spans with this from now on; None makes none."""
    global _tracing  # noqa: PLW0603 - a process has one
    _tracing = tracing


def is_on() -> bool:
    """Whether traces are wanted."""
    return _tracing is not None


def begin(
    name: str,
    parent: str = "",
    *,
    state: str = "",
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    ago: float = 0.0,
    **attributes: AttributeValue,
) -> trace.Span | None:
    """A span that the caller ends; None where no traces are wanted.

    Args:
        name: What is done.
        parent: The context that it belongs to; the present one by default, or a trace of its own.
        state: The value of the header `tracestate` that came with the parent.
        kind: Its role among other processes.
        ago: Seconds since it began.
        attributes: What is told of it; two underscores in a name stand for a dot.
    """
    if _tracing is None:
        return None
    around = context.get_current()
    if parent:
        around = _PROPAGATOR.extract({"traceparent": parent, "tracestate": state}, context.Context())
    started = time.time_ns() - round(ago * 1e9)
    span = _tracing.start_span(name, around, kind, start_time=started)
    tell(span, **attributes)
    return span


def tell(span: trace.Span, **attributes: AttributeValue) -> None:
    """Add to what is told of a span; two underscores in a name stand for a dot."""
    if span.is_recording():
        for name, value in attributes.items():
            span.set_attribute(name.replace("__", "."), value)


def fail(span: trace.Span, why: str) -> None:
    """Note that what a span stands for failed."""
    span.set_status(trace.Status(trace.StatusCode.ERROR, why))


def enter(span: trace.Span) -> object:
    """Make a span the present one of this task; `leave` takes what this answers."""
    return context.attach(trace.set_span_in_context(span))


def leave(token: object) -> None:
    """Make the span before the present one again."""
    context.detach(token)  # type: ignore[arg-type]  # opaque to callers


@contextmanager
def span(name: str, parent: str = "") -> Iterator[None]:
    """A span around a block; see `begin`. Where the present task is in no trace that is kept, there is none."""
    if _tracing is None or not (parent or trace.get_current_span().is_recording()):
        yield
        return
    begun = begin(name, parent)
    if begun is None:
        yield
        return
    token = enter(begun)
    try:
        yield
    except BaseException as error:
        fail(begun, type(error).__name__)
        raise
    finally:
        leave(token)
        begun.end()


def present() -> trace.Span | None:
    """The span of this task, if it is one that is kept."""
    if _tracing is None:
        return None
    found = trace.get_current_span()
    return found if found.is_recording() else None


def context_of(span: trace.Span) -> str:
    """The context of a span for those that follow it; "" if the span is not kept."""
    return header_of(span) if span.is_recording() else ""


def header_of(span: trace.Span) -> str:
    """The context of a span, kept or not, as a header has it."""
    known = span.get_span_context()
    return f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"


def headers() -> dict[str, str]:
    """What a request to another server carries, so that it belongs to the trace of this task; nothing without one."""
    span = trace.get_current_span()
    return {"traceparent": header_of(span)} if _tracing is not None and span.get_span_context().is_valid else {}


def trace_id_of(span: trace.Span) -> str:
    """The id of the trace that a span is in, 32 hexadecimal digits."""
    return f"{span.get_span_context().trace_id:032x}"
