"""README and guides are followed as they stand, by somebody who pastes their blocks."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.guides import Block, Reader, blocks
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
GUIDES = (ROOT / "README.md", ROOT / "docs" / "carry-traffic.md", ROOT / "docs" / "resolve-names.md")
NEEDED = ("curl", "dig", "kubectl")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """What a reader sees of Fairlead, in a path with a space, with a server on other ports than the guides name."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    assert not missing, f"the guides need {', '.join(missing)}"
    directory = tmp_path_factory.mktemp("a reader") / "of guides"
    directory.mkdir()
    (directory / ".venv").symlink_to(ROOT / ".venv")
    dns_port = str(free_port())
    with Serving(directory / ".data", "--dns-port", dns_port, data_plane="envoy") as serving:
        yield directory, {"8080": serving.url.rpartition(":")[2], "5353": dns_port}, serving.said


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_each_block_works(directory, guide, tmp_path):
    place, changed, _ = directory
    programs = {port: str(free_port()) for port in ("9000", "9001")}
    listed = [block for block in blocks(guide) if "make run" not in block.text]
    assert len(listed) >= 2
    with Reader(place, tmp_path, changed | programs) as reader:
        said = reader.follow(listed)
    for word in {"README": ("Directory listing",), "carry-traffic": ("Directory listing", "data planes:")}.get(
        guide.stem, ("10.96.",)
    ):
        assert word in said


def test_the_first_service_is_a_file_that_can_be_run(directory, tmp_path):
    place, changed, _ = directory
    script = (ROOT / "examples" / "first-service.sh").read_text()
    with Reader(place, tmp_path, {**changed, "9000": str(free_port())}) as reader:
        # The README may have been followed before.
        reader.follow([Block("KUBECONFIG=.data/kubeconfig kubectl delete service web --ignore-not-found", "")])
        assert "Directory listing" in reader.follow([Block(script, "")])


def test_each_command_works_that_is_said_at_the_start(directory, tmp_path):
    place, _, said = directory
    commands = re.findall(r"^ {4}((?:curl|dig|export|kubectl|KUBECONFIG=)(?:[^\\\n]|\\\n)*)", said, re.MULTILINE)
    *ending, register = commands
    assert [command.split()[0] for command in ending] == ["curl", "dig", "export", "kubectl"]
    with Reader(place, tmp_path, {"9000": str(free_port())}) as reader:
        told = reader.follow([Block("\n".join(ending), ""), Block(register, "second terminal")])
    assert re.search(r"^hello +ClusterIP", told, re.MULTILINE)


@pytest.mark.soak
def test_a_stranger_follows_everything(tmp_path_factory):
    """A fresh clone, an unprivileged user, a path with a space, and nothing changed: the ports have to be free."""
    place = Path("/var/tmp") / f"a stranger {os.getpid()}"  # noqa: S108 - pytest's own are closed to other users
    before = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--reset-env", "env", f"HOME={place}")
    try:
        subprocess.run(["git", "clone", "--quiet", ROOT, place / "fairlead"], check=True)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", place], check=True)
        else:
            before = ()
        start, *_ = blocks(GUIDES[1])
        with Reader(place / "fairlead", tmp_path_factory.mktemp("said"), before=before, start_seconds=600) as reader:
            reader.follow([start])
            for guide in GUIDES:
                assert reader.follow([block for block in blocks(guide) if "make run" not in block.text])
        until(lambda: not (place / "fairlead" / ".data" / "postgres" / "postmaster.pid").exists(), timeout=30)
    finally:
        shutil.rmtree(place, ignore_errors=True)
