from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.credentials.tokens import Token
from app.domain.user import User
from app.main import reloading

ANN, ADMIN = Token("a", User("ann", groups=("dev",))), Token("b", User("root", groups=("ops", "system:masters")))


@pytest.mark.parametrize(("tokens", "warned"), [((ANN,), True), ((ANN, ADMIN), False)])
def test_a_token_file_without_an_administrator_is_told_of(monkeypatch, tokens, warned):
    with capture_logs() as logged:
        monkeypatch.setattr(reloading, "_log", reloading.structlog.get_logger())
        reloading.warn_without_masters(tokens, Path("tokens.csv"))
    assert [line["log_level"] for line in logged] == ["warning"] * warned
