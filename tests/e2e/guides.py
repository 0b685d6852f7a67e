"""Follows a guide: runs its blocks marked `sh` in their order, each in a terminal of its own, as they stand."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass

from tests.e2e.waiting import until

_BLOCK = re.compile(r'^```sh(?: title="(?P<terminal>[^"]+)")?\n(?P<text>.*?)^```', re.MULTILINE | re.DOTALL)
_STARTED = re.compile(r"Ctrl-C stops everything|\bregistered\b")
"""What a program says that goes on in its terminal."""


@dataclass(frozen=True)
class Block:
    """A block of a guide; one with a terminal of its own goes on while the next ones run."""

    text: str
    terminal: str


def blocks(path):
    """The blocks of a guide that are run."""
    return [Block(each["text"], each["terminal"] or "") for each in _BLOCK.finditer(path.read_text())]


class Reader:
    """Somebody who follows guides in one directory.

    Args:
        directory: Where Fairlead is.
        scratch: Where the output of programs that go on is kept.
        changed: What is written otherwise than in the guide, such as ports that are taken here.
        before: Words before each command, such as those that change the user.
    """

    def __init__(self, directory, scratch, changed=(), before=(), start_seconds=60):
        self._directory, self._scratch = directory, scratch
        self._changed, self._before = dict(changed), list(before)
        self._start_seconds = start_seconds
        self._going_on = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self._going_on):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)

    def follow(self, listed):
        """Run blocks; answers what those said that ended."""
        return "".join(self._run(block) for block in listed)

    def _run(self, block):
        text = block.text
        for given, here in self._changed.items():
            text = re.sub(rf"\b{re.escape(given)}\b", here, text)
        command = [*self._before, "bash", "-e", "-o", "pipefail", "-c", text]
        if block.terminal:
            self._start(command)
            return ""
        ended = subprocess.run(
            command, cwd=self._directory, capture_output=True, text=True, check=False, timeout=120, env=_environment()
        )
        assert ended.returncode == 0, f"{text}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def _start(self, command):
        said = self._scratch / f"terminal-{len(self._going_on)}.log"
        with said.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=self._directory, stdout=file, stderr=file, start_new_session=True, env=_environment()
            )
        self._going_on.append(process)

        def has_started():
            assert process.poll() is None, said.read_text()
            return _STARTED.search(said.read_text())

        until(has_started, timeout=self._start_seconds)


def _environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRLEAD_", "KUBECONFIG"))}
    return kept | {"PYTHONUNBUFFERED": "1"}
