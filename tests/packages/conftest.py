"""What is released, built from the checkout, and an environment that has nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The directory with the sdist, with the wheel that was built from it, and with the versions to install."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(["make", "--silent", "dist", f"DIST={directory}"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return directory


@pytest.fixture(scope="session")
def installed(built, tmp_path_factory):
    """A clean environment in which the wheel was installed, with the versions that are locked."""
    directory = tmp_path_factory.mktemp("clean") / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, directory], check=True)
    (wheel,) = built.glob("*.whl")
    words = ("pip", "install", "--quiet", "--python", directory / "bin" / "python")
    subprocess.run([UV, *words, "--constraint", built / "constraints.txt", wheel], check=True)
    return directory
