"""Names in a zone that another server has: which records each is to have there, and what differs."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.domain.wanted.dns_records import Records

PUSHED_TYPES = ("A", "AAAA", "CNAME")
"""The types of the records that are pushed. What else is at a name is its owner's business."""

Content = Mapping[str, tuple[int, frozenset[str]]]
"""What a name has: by type its TTL in seconds, and its values in presentation form, with names that end with a dot."""


class PushedName(NamedTuple):
    """What a server has, or is to have, at one name of ours.

    Attributes:
        owner: Who wants it: namespace and name of the Service, joined by "/"; "/static" follows for a StaticAddress.
        content: Its records.
    """

    owner: str
    content: Content


def differing(wanted: Mapping[str, PushedName], present: Mapping[str, PushedName]) -> list[str]:
    """The names at which a server has something else than is wanted, removals first, so that they free their names."""
    gone = sorted(present.keys() - wanted.keys())
    return gone + sorted(name for name, each in wanted.items() if present.get(name) != each)


def pushed_names(owner: str, records: Iterable[Records]) -> dict[str, PushedName]:
    """The names of one owner with their records, as far as these are pushed."""
    contents: dict[str, dict[str, tuple[int, frozenset[str]]]] = {}
    for each in records:
        if each.type in PUSHED_TYPES:
            content = contents.setdefault(each.name.removesuffix("."), {})
            content[each.type] = (each.ttl, frozenset(each.values))
    return {name: PushedName(owner, content) for name, content in contents.items()}
