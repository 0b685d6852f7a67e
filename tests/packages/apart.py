"""Programs that run in namespaces of their own, so that ports and paths are those of the manifests."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_apart(module, given, directory):
    """Run a module of these tests apart from this machine; it reads the file of what it is given.

    Args:
        module: Its name among these tests.
        given: What it is given, as JSON can say it.
        directory: Where the file goes.
    """
    path = directory / "given.json"
    path.write_text(json.dumps(given))
    command = ["unshare", "--net", "--mount", sys.executable, "-m", f"tests.packages.{module}", path]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
