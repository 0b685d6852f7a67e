"""The edge's measurements."""

import time
from functools import lru_cache
from typing import Any

from app.api.exchange import Exchange
from app.telemetry.exposition import EXAMPLES
from app.telemetry.metrics import (
    BODY_BYTES,
    REQUEST_SECONDS,
    REQUESTS,
    REQUESTS_IN_FLIGHT,
    WATCH_EVENTS,
    WATCHES,
    WATCHES_DROPPED,
)


class Measures:
    """Counts and times requests. The metrics by their labels are remembered: finding one costs more than counting."""

    def answered(self, exchange: Exchange) -> None:
        """Count a request that has ended."""
        verb = exchange.verb or exchange.method.lower()
        _requests(verb, exchange.resource, exchange.code).inc()
        if not exchange.long_running:
            seconds = time.monotonic() - exchange.began
            _seconds(verb, exchange.resource).observe(seconds)
            if exchange.span is not None and exchange.span.labels is not None:
                EXAMPLES.note(verb, exchange.resource, seconds, exchange.span.labels)

    def in_flight(self, reading: int, writing: int) -> None:
        """Tell how many requests are being answered."""
        REQUESTS_IN_FLIGHT.labels("readOnly").set(reading)
        REQUESTS_IN_FLIGHT.labels("mutating").set(writing)

    def bodies(self, used: int) -> None:
        """Tell how many bytes the bodies of all requests take."""
        BODY_BYTES.set(used)

    def dropped(self, exchange: Exchange) -> None:
        """Count a watch that was ended because its client did not read."""
        if exchange.long_running:
            WATCHES_DROPPED.labels(exchange.resource).inc()


@lru_cache(maxsize=1024)
def _requests(verb: str, resource: str, code: int) -> Any:
    return REQUESTS.labels(verb, resource, str(code))


@lru_cache(maxsize=256)
def _seconds(verb: str, resource: str) -> Any:
    return REQUEST_SECONDS.labels(verb, resource)


@lru_cache(maxsize=256)
def sent_events(resource: str) -> Any:
    """The counter of events sent to watchers of a kind."""
    return WATCH_EVENTS.labels(resource)


@lru_cache(maxsize=256)
def open_watches(resource: str) -> Any:
    """The gauge of open watches of a kind."""
    return WATCHES.labels(resource)
