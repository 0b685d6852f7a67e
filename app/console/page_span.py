"""The span of a page: it begins once the visitor may see it, and what the page asks of the API belongs to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from app.telemetry import tracing


class Answered:
    """What became of a page.

    Attributes:
        response: The answer; None until there is one.
    """

    def __init__(self) -> None:
        self.response: Response | None = None


@contextmanager
def page_span(request: Request, path: str) -> Iterator[Answered]:
    """The present span while a page is made, if traces are wanted.

    Args:
        request: Of the browser. It goes on in the trace that its `traceparent` names.
        path: The path of the page, with names of parameters for their values.
    """
    answered = Answered()
    given, state = request.headers.get("traceparent", ""), request.headers.get("tracestate", "")
    span = tracing.begin(f"{request.method} {path}", given, state=state, kind=tracing.SpanKind.SERVER)
    if span is None:
        yield answered
        return
    token = tracing.enter(span)
    try:
        yield answered
    finally:
        tracing.leave(token)
        code = HTTPStatus.INTERNAL_SERVER_ERROR if answered.response is None else answered.response.status_code
        tracing.tell(
            span,
            http__request__method=request.method,
            http__response__status_code=int(code),
            http__route=path,
            url__path=request.url.path,
        )
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            tracing.fail(span, "")
        span.end()
