"""Adds Debian's packages of an image to the bill of materials of what is installed with Fairlead (CycloneDX).

With --format it tells what to ask dpkg-query of the image for; with that bill and the image's /etc/os-release it reads
what dpkg-query answers, and writes the bill of the image.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

FORMAT = r"${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
"""What is asked of dpkg-query. Vulnerabilities are told of source packages, so these are named, too."""


def distribution(os_release: str) -> str:
    """Such as debian-12, from the text of /etc/os-release."""
    told = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    return "-".join(told[name].strip("'\"") for name in ("ID", "VERSION_ID") if name in told)


def debian_components(listed: Iterable[str], distro: str) -> Iterator[Component]:
    """A component for each line of dpkg-query."""
    for line in listed:
        name, version, architecture, source, source_version = line.rstrip("\n").split("\t")
        qualifiers = {"arch": architecture, "distro": distro, "upstream": f"{source}@{source_version}"}
        url = PackageURL("deb", distro.partition("-")[0], name, version, qualifiers)
        yield Component(name=name, version=version, type=ComponentType.LIBRARY, purl=url, bom_ref=url.to_string())


def image_bill(installed: str, listed: Iterable[str], os_release: str) -> str:
    """The bill of materials of an image.

    Args:
        installed: The bill of what is installed with Fairlead, as JSON.
        listed: What dpkg-query says of the image, in `FORMAT`.
        os_release: The image's /etc/os-release.
    """
    bill = Bom.from_json(json.loads(installed))
    distro = distribution(os_release)
    name, _, version = distro.partition("-")
    system = Component(name=name, version=version, type=ComponentType.OPERATING_SYSTEM, bom_ref=distro)
    program = bill.metadata.component
    image = Component(name="fairlead-image", version=program.version, type=ComponentType.CONTAINER, bom_ref="image")
    contents = [program, system, *debian_components(listed, distro)]
    bill.metadata.component = image
    bill.components.update(contents)
    bill.register_dependency(image, contents)
    return make_outputter(bill, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def main() -> None:
    """Read the list of dpkg-query, and write the bill."""
    if sys.argv[1:] == ["--format"]:
        sys.stdout.write(FORMAT)
        return
    installed, os_release = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:])
    sys.stdout.write(image_bill(installed, sys.stdin, os_release))


if __name__ == "__main__":
    main()
