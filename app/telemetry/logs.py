"""Logging: one line an event, as JSON or for a console, whoever logs it."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

_URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)\S+@")
# Shorter ones are words that a line may hold anyway; masking those would garble it.
_SHORTEST_SECRET = 8
_MASK = "***"


def configure_logging(
    log_format: Literal["console", "json"],
    level: str = "info",
    secrets: Iterable[str] = (),
    stream: TextIO = sys.stderr,
) -> None:
    """Routes structlog and the standard library's loggers (uvicorn's, SQLAlchemy's, warnings) to one stream.

    Args:
        log_format: `json` is one object a line; `console` is for people.
        level: The least that is logged.
        secrets: Texts that no line may show, beside the passwords of URLs, which none ever does.
        stream: Where the lines go.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendered: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format == "json"
        # Plain: the richer tracebacks print local variables, which can be secrets.
        else [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *rendered,
                _masking,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    mask(secrets)
    set_level(level)


def set_level(level: str) -> None:
    """Log what is of this level or above."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in ("uvicorn.error", "alembic.runtime"):  # the steps of their starting are no news
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def mask(secrets: Iterable[str]) -> None:
    """Let no line show these texts, beside those that none may show already."""
    _masking.add(secrets)


class _Masking:
    """The last step of a line: what must stay secret is replaced in its finished text."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._secrets: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        self._words.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        longest_first = sorted(self._words, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any] | str) -> str:
        line = _URL_PASSWORD.sub(rf"\1{_MASK}@", str(event))
        return line if self._secrets is None else self._secrets.sub(_MASK, line)


_masking = _Masking()
