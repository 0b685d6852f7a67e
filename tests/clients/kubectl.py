"""kubectl, in whichever versions the machine has."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

VERSIONS = ("1.27", "1.29", "1.31", "1.33")
_PATIENCE = 60


def find(version):
    """The program of a minor version: `kubectl.1.33` on the path or beside `kubectl`, or a `kubectl` that is it."""
    plain = shutil.which("kubectl")
    beside = Path(plain).resolve().parent if plain else Path()
    named = shutil.which(f"kubectl.{version}") or shutil.which(f"kubectl.{version}", path=beside)
    if named or not plain:
        return named
    said = subprocess.run([plain, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    return plain if json.loads(said.stdout)["clientVersion"]["gitVersion"].startswith(f"v{version}.") else None


class Kubectl:
    """Runs commands in one namespace.

    Attributes:
        minor: Of the version: 33.
        errors: What the last command wrote to stderr, without kubectl's own remark on the versions' distance.
    """

    def __init__(self, program, version, home, kubeconfig, namespace):
        self.minor = int(version.partition(".")[2])
        self.namespace = namespace
        self.errors = ""
        self._command = [program, "--namespace", namespace]
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(kubeconfig)}

    def __call__(self, *arguments, given=None, status=0, editor="false"):
        """Run a command that ends with a status, and return what it prints.

        `given` is its input: text, or a document to send as JSON.
        """
        text = given if isinstance(given, str | None) else json.dumps(given)
        ended = subprocess.run(
            [*self._command, *arguments, *(["-f", "-"] if text else [])],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            env=self._environment | {"EDITOR": str(editor)},
        )
        self.errors = ended.stderr
        assert ended.returncode == status, f"{arguments}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def document(self, *arguments, **options):
        """What a command prints as JSON."""
        return json.loads(self(*arguments, "-o", "json", **options))

    def table(self, *arguments, **options):
        """The rows that a command prints, the heading first, each a list of its cells; ages are written `AGE`."""
        return rows(self(*arguments, **options))

    def start(self, *arguments):
        """Start a command that goes on until it is ended."""
        return subprocess.Popen([*self._command, *arguments], stdout=subprocess.PIPE, text=True, env=self._environment)

    def start_watching(self, *arguments):
        """Start a command that watches; it does when this returns."""
        process = subprocess.Popen(
            [*self._command, *arguments, "-v=6"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        said = ""
        while "watch=true" not in said:
            line = process.stderr.readline()
            said += line
            assert line, said
        return process


def rows(text):
    """A table's lines, each a list of its cells."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]
    return [[re.sub(r"^\d+[smh](\d+[sm])?$", "AGE", cell) for cell in line] for line in lines]


def described(text):
    """What `kubectl describe` says of one object: its first lines, as far as they are a name and a value."""
    pairs = re.findall(r"^(\S[^:\n]*):[ \t]*(.*)$", text, re.MULTILINE)
    return dict(reversed(pairs))
