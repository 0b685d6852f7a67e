import re
import tomllib
from pathlib import Path

import pytest

from app.cli import COMMANDS
from app.settings.base import ENVIRONMENT_PREFIX

ROOT = Path(__file__).parents[2]
SETTINGS = {
    ENVIRONMENT_PREFIX + name.upper() for command in COMMANDS.values() for name in command.settings.model_fields
}


def locked(name):
    return set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / name).read_text(), re.MULTILINE))


def wanted(*requirements):
    names = (re.match(r"[A-Za-z0-9._-]+", requirement)[0] for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


@pytest.mark.parametrize("name", ["Dockerfile", "docker-compose.yml"])
def test_only_settings_that_exist_are_set(name):
    assert set(re.findall(r"FAIRLEAD_[A-Z_]+", (ROOT / name).read_text())) <= SETTINGS


def test_the_locks_hold_every_dependency_with_hashes_and_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = wanted(*project["project"]["dependencies"], *project["dependency-groups"]["build"])
    assert runtime <= locked("requirements.lock")
    assert runtime | wanted(*project["dependency-groups"]["dev"]) <= locked("requirements-dev.lock")
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        hashed = re.findall(r"^[a-z0-9.-]+==.* \\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(hashed) == len(re.findall(r"^\S+==", text, re.MULTILINE)) >= len(locked(name))
