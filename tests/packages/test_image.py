"""The image, built without an engine. It takes some minutes, and packages of Debian."""

import json
import os
import shutil
import subprocess

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from deploy import image_sbom
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
    bill = json.loads((ROOT / "dist" / "fairlead-image.cdx.json").read_text())
    names = {each["name"] for each in bill["components"]}
    assert {"debian", "libc6", "python3", "msgspec", "fairlead"} <= names


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs a machine with Debian's packages")
def test_the_bill_of_materials_of_an_image_has_what_debian_installed():
    """With this machine in the place of an image."""
    installed = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "name": "fairlead", "bom-ref": "root-component"}},
        "components": [{"type": "library", "name": "msgspec", "version": "1", "bom-ref": "msgspec==1"}],
    }
    command = ("dpkg-query", "--show", "--showformat", image_sbom.FORMAT)
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    told = image_sbom.image_bill(json.dumps(installed), listed, 'ID=debian\nVERSION_ID="12"\nNAME=x\n')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(told) is None
    bill = json.loads(told)
    assert (bill["metadata"]["component"]["type"], len(bill["components"])) == ("container", len(listed) + 3)
    (libc,) = [each for each in bill["components"] if each["name"] in ("libc6", "libc6.1")]
    url = PackageURL.from_string(libc["purl"])
    assert (url.type, url.namespace, url.name, url.version) == ("deb", "debian", libc["name"], libc["version"])
    assert (url.qualifiers["distro"], url.qualifiers["upstream"]) == ("debian-12", f"glibc@{libc['version']}")
    (image,) = [each for each in bill["dependencies"] if each["ref"] == "image"]
    assert {"root-component", "debian-12", libc["bom-ref"]} <= set(image["dependsOn"])
