"""The clients that the tests drive, each in whichever versions are at hand."""

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.clients.kubectl import VERSIONS, Kubectl, find

_NODE = Path(__file__).with_name("node")
_OLDEST_NODE = 20


@pytest.fixture(scope="session")
def kubeconfig(product):
    """The file that the product wrote for its users."""
    return product.data_dir / "kubeconfig"


@pytest.fixture(scope="session", params=VERSIONS)
def kubectl_version(request, tmp_path_factory):
    """A version, its program, and a home for what it remembers of the server."""
    program = find(request.param)
    if program is None:
        pytest.skip(f"there is no kubectl {request.param} on this machine")
    return request.param, program, tmp_path_factory.mktemp(f"kubectl-{request.param}")


@pytest.fixture
def kubectl(kubectl_version, kubeconfig, namespace):
    version, program, home = kubectl_version
    return Kubectl(program, version, home, kubeconfig, namespace)


@pytest.fixture(scope="session")
def node_packages(request):
    """A folder with the packages of `node/package-lock.json`, which are installed once."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("there is no Node.js with npm on this machine")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version[1:].split(".")[0]) < _OLDEST_NODE:
        pytest.skip(f"Node.js {version.strip()} is older than {_OLDEST_NODE}, which the packages need")
    lock = (_NODE / "package-lock.json").read_bytes()
    folder = request.config.cache.mkdir(f"node-{sha256(lock).hexdigest()[:16]}")
    installed = folder / "installed"
    if not installed.exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_NODE / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=300)
        installed.touch()
    return folder


@pytest.fixture(scope="session")
def node(node_packages):
    """Runs a program beside the packages, one of `node/` or one made there, and returns what it prints."""

    def run(program, *arguments):
        if (_NODE / program).exists():
            shutil.copy(_NODE / program, node_packages)
        return _said(["node", program, *arguments], node_packages)

    return run


@pytest.fixture(scope="session")
def npx(node_packages):
    """Runs a command of one of the packages, beside which sources of `node/` are put."""

    def run(command, *arguments, sources=()):
        for source in sources:
            shutil.copy(_NODE / source, node_packages)
        return _said([f"node_modules/.bin/{command}", *arguments], node_packages)

    return run


def _said(command, folder):
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
