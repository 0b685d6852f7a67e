"""Writes docs/licences.md: what is installed with Fairlead, and under which licence. Run by `make licences`."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
BEGIN = "| package | licence |\n|---|---|\n"

ALLOWED = {
    "0BSD", "3-Clause BSD License", "Apache Software License", "Apache-2.0", "BSD License", "BSD-2-Clause",
    "BSD-3-Clause", "ISC", "MIT", "MIT License", "MIT-0", "MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)", "PSF-2.0",
}  # fmt: skip
"""Licences by the names that packages use. None of them asks anything of who uses Fairlead but to name the authors."""


def installed(python: Path) -> list[dict[str, str]]:
    """Name and licence of what an environment has, in order."""
    program = Path(sys.executable).with_name("pip-licenses")
    words = ("--python", python, "--format", "json", "--from", "mixed", "--ignore-packages", "fairlead", "pip")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True)
    found: list[dict[str, str]] = json.loads(done.stdout)
    return sorted(found, key=lambda each: each["Name"].lower())


def refused(licence: str) -> list[str]:
    """The parts of a licence that nobody has looked at; of `A OR B` one of both will do."""
    choices = [[part.strip("() ") for part in choice.replace("; ", " AND ").split(" AND ")]
               for choice in licence.split(" OR ")]  # fmt: skip
    named = [licence] if licence in ALLOWED else None
    faults = [[part for part in choice if part not in ALLOWED] for choice in choices]
    return [] if named or [] in faults else faults[0]


def table(found: list[dict[str, str]]) -> str:
    """The table of the page."""
    return "".join(f"| {each['Name']} | {each['License']} |\n" for each in found)


def page(text: str, found: list[dict[str, str]]) -> str:
    """The page with another table."""
    return text[: text.index(BEGIN)] + BEGIN + table(found)


if __name__ == "__main__":
    packages = installed(Path(sys.argv[1]))
    unknown = {each["Name"]: each["License"] for each in packages if refused(each["License"])}
    if unknown:
        sys.exit(f"not allowed, or not looked at yet: {unknown}")
    PAGE.write_text(page(PAGE.read_text(), packages))
