"""Files of settings, in TOML or YAML, with the same names as the flags."""

import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from pathlib import Path

import yaml

from app.credentials.secret_files import others_can_read, refuse_if_writable

_SUFFIXES = {".toml", ".yaml", ".yml", ".json"}


def read_config(path: Path, names: AbstractSet[str]) -> dict[str, str]:
    """Read the settings in a file, as texts by field name.

    A name is written as the flag is, without the dashes before it (`node-port-range`), or with underscores. A list
    stands for its elements with commas between them.

    Args:
        path: The file: .toml, .yaml, .yml or .json.
        names: The names of all settings.

    Raises:
        ValueError: The file cannot be read or can be changed by others than its owner, has a name or a value that no
            setting has, or shows the password of a database to others.
    """
    found = _document(path)
    values = {name.replace("-", "_"): value for name, value in found.items()}
    for name in values.keys() - names:
        near = get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{path} has {name!r}, which is no setting{hint}")
    if "database_url" in values and others_can_read(path):
        raise ValueError(f"{path} may hold the password of the database, and others can read it: chmod 600 {path}")
    return {name: _text(path, name, value) for name, value in values.items()}


def _document(path: Path) -> Mapping[str, object]:
    if path.suffix not in _SUFFIXES:
        raise ValueError(f"{path} must end in one of {', '.join(sorted(_SUFFIXES))}, which says its format")
    try:
        refuse_if_writable(path)
        text = path.read_text()
        # JSON is YAML.
        document = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise ValueError(f"{path} must hold names of settings with their values")
    return document


def _text(path: Path, name: str, value: object) -> str:
    """A value as it would be written behind its flag."""
    if isinstance(value, list):
        return ",".join(_text(path, name, each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{path} has {value!r} for {name}; write a text, a number, true, false or a list of them")
