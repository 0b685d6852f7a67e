"""Logging: one line for each event, as JSON or for a console. Events of libraries look like ours."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

_URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)\S+@")
# A shorter secret may be an ordinary word, and masking that would make lines unreadable.
_SHORTEST_SECRET_CHARACTERS = 8
_MASK = "***"


def configure_logging(
    log_format: Literal["console", "json"],
    level: str = "info",
    secrets: Iterable[str] = (),
    stream: TextIO = sys.stderr,
) -> None:
    """Send the events of structlog and of the standard library's loggers (uvicorn, SQLAlchemy, warnings) to one stream.

    Args:
        log_format: `json` writes one object a line; `console` is for people.
        level: The lowest level that is logged.
        secrets: Texts that no line may show. The passwords in URLs are never shown.
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
        # Other forms of a traceback print local variables, which may hold secrets.
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
    """Log events of this level or above."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in ("uvicorn.error", "alembic.runtime"):  # each logs every step of its start as info
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def mask(secrets: Iterable[str]) -> None:
    """Keep these texts out of all lines, too."""
    _masking.add(secrets)


class _Masking:
    """The last step for a line: replaces secrets in its finished text."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._secrets: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        self._words.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET_CHARACTERS)
        longest_first = sorted(self._words, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any] | str) -> str:
        line = _URL_PASSWORD.sub(rf"\1{_MASK}@", str(event))
        return line if self._secrets is None else self._secrets.sub(_MASK, line)


_masking = _Masking()
