"""The wheel has all that is needed, and works in an environment that has nothing else, far from the checkout."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest

from app import __version__
from tests.e2e.serving import Serving
from tests.packages.conftest import ROOT


def _module():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "deploy" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences = _module()


def sources():
    """What the packages consist of."""
    words = ("git", "ls-files", "app", "migrations")
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return {path for path in found.stdout.splitlines() if not path.endswith(".mako")}


def locked():
    """Name and version of what is locked, some for one version of Python or another."""
    lines = (ROOT / "requirements.lock").read_text()
    found = re.findall(r"^([a-z0-9-]+)==([^ ;]+)(?: ; (.*))? \\$", lines, re.MULTILINE)
    return {(name, version) for name, version, marker in found if "win32" not in marker}


def test_the_wheel_has_every_file_and_no_other(built):
    (path,) = built.glob("*.whl")
    assert path.name == f"fairlead-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = wheel.read(f"fairlead-{__version__}.dist-info/METADATA").decode()
    assert names == sources()
    assert "Requires-Python: >=3.11" in metadata


def test_the_sdist_has_what_the_wheel_is_built_from(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert sources() <= names


def fairlead(installed, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    command = [installed / "bin" / "fairlead", *arguments]
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=True).stdout


def test_the_commands_are_there(installed):
    assert fairlead(installed, "version") == f"fairlead {__version__}\n"
    assert "upgrade-postgres" in fairlead(installed, "--help")


def test_it_serves(installed, tmp_path):
    """All of it: Postgres, the API, the console, and an Envoy that answers for a Service."""
    program = (installed / "bin" / "fairlead",)
    with Serving(tmp_path / "data", program=program, data_plane="envoy", cwd="/") as serving:
        assert all(str(installed) in " ".join(each.cmdline()) for each in serving.children("app.cli"))
        made = httpx.post(
            f"{serving.url}/api/v1/namespaces/default/services",
            json={"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 18080}]}},
            timeout=30,
        )
        assert made.status_code == 201
        assert made.json()["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("127.64.")
        assert httpx.get(f"{serving.url}/console/", follow_redirects=True, timeout=30).status_code == 200
        assert httpx.get(f"{serving.url}/version", timeout=30).json()["gitVersion"]
        assert serving.stop() == 0


def test_what_is_installed_is_what_is_locked(installed, tmp_path):
    """By the bill of materials, which anybody can make of an environment."""
    path = tmp_path / "sbom.json"
    program = Path(sys.executable).with_name("cyclonedx-py")
    words = ("environment", installed / "bin" / "python", "--output-file", path, "--validate")
    subprocess.run([program, *words], capture_output=True, check=True)
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    found = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in bill["components"]}
    assert found.pop("fairlead") == __version__
    unused = {name for name, _ in locked()} - found.keys()
    assert unused <= {"setuptools"}, "locked, and not installed"
    assert found.items() <= locked()


def test_the_licences_are_told_and_allowed(installed):
    found = licences.installed(installed / "bin" / "python")
    text = licences.PAGE.read_text()
    assert licences.page(text, found) == text, "docs/licences.md is of other versions: run make licences"
    assert {each["Name"]: each["License"] for each in found if licences.refused(each["License"])} == {}


@pytest.mark.parametrize(
    ("licence", "parts"),
    [
        ("MIT", []),
        ("GPL-3.0-only", ["GPL-3.0-only"]),
        ("MIT OR GPL-3.0-only", []),
        ("MIT AND GPL-3.0-only", ["GPL-3.0-only"]),
        ("Apache Software License; MIT License", []),
        ("UNKNOWN", ["UNKNOWN"]),
    ],
)
def test_a_licence_that_nobody_has_looked_at_is_refused(licence, parts):
    assert licences.refused(licence) == parts


def test_the_dockerfile_is_without_fault():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
