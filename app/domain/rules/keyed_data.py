"""The rules that ConfigMaps and Secrets share: keys, the size of the data, and immutability."""

import re
from collections.abc import Collection, Iterable, Iterator

from app.domain.errors import FIELD_IS_IMMUTABLE, Cause, forbidden, invalid_for
from app.domain.label_syntax import length_problems
from app.domain.rules.names import MAX_SUBDOMAIN

MAX_DATA_BYTES = 2**20
"""All values of an object together; keys do not count (v1.MaxSecretSize)."""

_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def key_causes(field: str, keys: Iterable[str]) -> Iterator[Cause]:
    """Keys must be valid file names, since programs read the data as files (validation.IsConfigMapKey)."""
    for key in keys:
        yield from invalid_for(f"{field}[{key}]", key, _key_problems(key))


def _key_problems(key: str) -> list[str]:
    problems = length_problems(key, MAX_SUBDOMAIN)
    if not _KEY.fullmatch(key):
        problems.append("must be letters, digits, '-', '_' and '.' only, such as key.name, KEY_NAME or key-name")
    if key == "." or key.startswith(".."):
        problems.append("must not be '.' and not begin with '..', which mean something else in a path")
    return problems


def frozen_causes(*, was: bool | None, stays: bool | None, changed: Collection[str]) -> Iterator[Cause]:
    """Refuse changes of an object that was immutable.

    Args:
        was: Whether the stored object is immutable.
        stays: Whether the new object is immutable.
        changed: The fields that the update changes.
    """
    if not was:
        return
    if not stays:
        changed = ["immutable", *changed]
    for field in changed:
        yield forbidden(field, f"{FIELD_IS_IMMUTABLE} when `immutable` is set; delete the object and create it anew")
