import io
import json
import logging
import warnings

import pytest
import structlog

from app.telemetry.logs import configure_logging, mask, set_level


@pytest.fixture
def stream():
    root = logging.getLogger()
    before = root.handlers, root.level
    logging.captureWarnings(False)  # another test may have left it on, with a stream of its own
    yield io.StringIO()
    root.handlers, root.level = before
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_one_json_object_a_line_whoever_logs(stream):
    configure_logging("json", stream=stream)
    structlog.stdlib.get_logger("ours").info("allocated", service="default/web")
    logging.getLogger("sqlalchemy.engine").warning("slow %s", "statement")
    logging.getLogger("uvicorn.error").error("broken")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    try:
        raise ValueError("several\nlines")  # noqa: TRY301
    except ValueError:
        structlog.stdlib.get_logger("ours").exception("failed")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("ours", "info"),
        ("sqlalchemy.engine", "warning"),
        ("uvicorn.error", "error"),
        ("py.warnings", "warning"),
        ("ours", "error"),
    ]
    assert lines[0]["service"] == "default/web"
    assert lines[1]["event"] == "slow statement"
    assert "several\nlines" in lines[4]["exception"]


def test_what_is_below_the_level_is_not_logged(stream):
    configure_logging("json", "warning", stream=stream)
    structlog.stdlib.get_logger("ours").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_are_masked_wherever_they_turn_up(stream, log_format):
    configure_logging(log_format, secrets=["token-one", "token-one-longer"], stream=stream)
    log = structlog.stdlib.get_logger("ours")
    log.info("connecting", url="postgresql://fairlead:pass:word@db:5432/fairlead")
    log.info("asked", header="Bearer token-one-longer", other="token-one")
    log.info("connecting", url="postgresql://fairlead:p@ss/w@rd@db/fairlead", then="a@b")
    logging.getLogger("asyncpg").error("cannot reach postgresql://u:pw@h/d")
    text = stream.getvalue()
    for secret in ("pass:word", "p@ss", "w@rd", "token-one", "longer", "pw@"):
        assert secret not in text
    assert "postgresql://fairlead:***@db:5432/fairlead" in text
    assert "postgresql://fairlead:***@db/fairlead" in text
    assert "a@b" in text
    assert "postgresql://u:***@h/d" in text


def test_the_level_and_the_secrets_may_change(stream):
    configure_logging("json", "warning", ["first-secret"], stream)
    log = structlog.stdlib.get_logger("ours")
    log.info("quiet")
    set_level("debug")
    log.debug("loud")
    logging.getLogger("uvicorn.error").info("still quiet")
    mask(["second-secret"])
    log.info("first-secret second-secret")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud", "*** ***"]
