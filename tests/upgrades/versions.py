"""The version before this one, kept as the wheel that was released.

A clone has the wheel whatever it has of the history and of tags. `make keep-version` replaces it after a release.
Before the first release it is a preview, `0.1.0a1`, built anew with that number when migrations change: nobody has a
database of an earlier one.
"""

import zipfile
from pathlib import Path

DIRECTORY = Path(__file__).parent


def kept_wheel():
    """The one wheel that is kept."""
    (wheel,) = DIRECTORY.glob("*.whl")
    return wheel


def unpack(directory):
    """The program of the version before, as a directory to run `python -m app.cli` in."""
    with zipfile.ZipFile(kept_wheel()) as wheel:
        wheel.extractall(directory)
    return directory
