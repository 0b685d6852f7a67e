"""What the linters cannot see: no file and no function grows beyond what one reads in one go."""

import ast
import re
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400, f"{path} is two files"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name} is two functions"


def test_every_file_is_looked_at():
    assert ROOT / "cli.py" in FILES


def test_the_architecture_names_files_that_are_there():
    page = (ROOT.parent / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)`", page))
    assert "registry/publication.py" in named
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
