"""The image, built without an engine. It takes some minutes, and packages of Debian."""

import os
import shutil
import subprocess

import pytest

from tests.packages.conftest import ROOT

TOOLS = ("buildah", "debootstrap", "apt-get")
missing = [tool for tool in TOOLS if shutil.which(tool) is None]


@pytest.mark.soak
@pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=f"needs root, and Debian's {', '.join(TOOLS)}")
def test_the_image_is_built_and_serves():
    words = ("apt-get", "indextargets", "--format", "$(REPO_URI)")
    mirrors = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    mirror = next(each for each in mirrors if "security" not in each)
    done = subprocess.run([ROOT / ".ci" / "image", mirror], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ready"
