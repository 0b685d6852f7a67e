"""What the linters cannot see: no file and no function grows beyond what one reads in one go."""

import ast
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
