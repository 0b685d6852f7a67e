"""The log of requests: one line for each, when it has been answered. A watch is answered when it ends."""

import logging
import time
from typing import Any

import structlog

from app.api.exchange import Exchange
from app.api.request_span import trace_id_of
from app.domain.rules.access.requests import ResourceRequest

_logger = logging.getLogger(__name__)
_log = structlog.stdlib.get_logger(__name__)


def log_requests(*, wanted: bool) -> None:
    """Have requests logged from now on, or not."""
    _logger.setLevel(logging.INFO if wanted else logging.WARNING)


def log_request(exchange: Exchange) -> None:
    """Log a request that has ended, if requests are logged."""
    if _logger.isEnabledFor(logging.INFO):
        _log.info("request", **_described(exchange))


def _described(exchange: Exchange) -> dict[str, Any]:
    """What the line has; what a request does not have is left out."""
    asked = exchange.asked
    found: dict[str, Any] = {
        "user": exchange.user.name,
        "impersonator": "" if exchange.impersonator is None else exchange.impersonator.name,
        "verb": exchange.verb or exchange.method.lower(),
        "path": "" if isinstance(asked, ResourceRequest) else exchange.path or "/",
        "group": asked.group if isinstance(asked, ResourceRequest) else "",
        "resource": asked.path if isinstance(asked, ResourceRequest) else "",
        "namespace": asked.namespace if isinstance(asked, ResourceRequest) else "",
        "name": asked.name if isinstance(asked, ResourceRequest) else "",
        "code": exchange.code,
        "seconds": round(time.monotonic() - exchange.began, 6),
        "trace": trace_id_of(exchange),
    }
    return {key: value for key, value in found.items() if value != ""}
