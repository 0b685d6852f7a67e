"""Sending traces and metrics, where a collector is named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version

from app.domain.errors import FairleadError
from app.settings.otlp import OtlpSettings


class MessagesReplacedError(FairleadError):
    """The messages of OTLP are those of an older version; the message says how they are put back."""


@asynccontextmanager
async def exporting(settings: OtlpSettings, process: str) -> AsyncIterator[None]:
    """While entered, traces and metrics of this process are sent, if the settings name a collector.

    Args:
        settings: Of the process.
        process: Its command, such as `api`.
    """
    if settings.otlp_endpoint is None:
        yield
        return
    # Not imported before somebody wants it: it takes longer than all else at the start.
    try:
        otlp = import_module("app.telemetry.otlp")
    except ImportError as error:
        raise MessagesReplacedError(
            f"--otlp-endpoint cannot be used: another package has replaced OpenTelemetry's messages ({error}); put "
            "them back with: pip install --force-reinstall --no-deps "
            f"opentelemetry-proto=={version('opentelemetry-proto')}"
        ) from error
    exports = otlp.Exports(settings.otlp_endpoint, process, settings.trace_ratio, settings.otlp_metric_seconds)
    try:
        yield
    finally:
        await asyncio.to_thread(exports.close)
