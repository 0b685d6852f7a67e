"""The settings of what is sent to a collector of OpenTelemetry."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

_ENDPOINT = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/?#:@\[\]]+)(:[0-9]{1,5})?/?")


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError(f"{text!r} is no endpoint of a collector: write http://host:4317, or https:// for TLS")
    return text


class OtlpSettings(BaseSettings):
    """Where traces and metrics are sent (OTLP over gRPC), and how many traces are begun."""

    otlp_endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        None,
        description="Collector of OpenTelemetry that traces and metrics are sent to by gRPC, such as "
        "http://127.0.0.1:4317; https:// is TLS. The variables OTEL_* say the rest, such as headers and certificates",
    )
    trace_ratio: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Part of the requests that are traced, from 0 to 1; those whose sender traces them are traced, too",
    )
    otlp_metric_seconds: int = Field(
        60, ge=0, le=86_400, description="Seconds between two reports of metrics to the collector; 0 sends none"
    )
