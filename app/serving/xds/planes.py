"""The Envoys that are connected: what each says of itself, and what it has taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from envoy.config.core.v3.base_pb2 import Node
from google.protobuf.json_format import MessageToDict

from app.domain.rules.names import dns_subdomain_problems
from app.domain.rules.pool_description import SCOPES
from app.domain.wanted.traffic import PlaneProfile
from app.serving.xds.session import Session

METADATA = "fairlead"
"""The key in the metadata of an Envoy's node under which it says what it is there for."""

_KEYS = ("scopes", "pools", "node", "nodeAddresses")
_MOST_ITEMS = 64


class NodeError(ValueError):
    """What an Envoy says of itself cannot be used. The message names the field and what would be valid."""


@dataclass(eq=False)
class Plane:
    """One connected Envoy.

    Attributes:
        name: The id of its node.
        profile: What it is there for.
        version: Its program and version.
        session: What it was sent.
        connected_at: When it connected, RFC 3339.
        bytes_sent: To it, since it connected.
    """

    name: str
    profile: PlaneProfile
    version: str
    session: Session
    connected_at: str
    bytes_sent: int = 0


@dataclass
class Planes:
    """The connected Envoys by name; of two with one name the one that came last counts."""

    by_name: dict[str, Plane] = field(default_factory=dict)

    def enter(self, plane: Plane) -> None:
        """An Envoy has connected."""
        self.by_name[plane.name] = plane

    def leave(self, plane: Plane) -> None:
        """Its connection has ended."""
        if self.by_name.get(plane.name) is plane:
            del self.by_name[plane.name]


def profile_of(node: Node, *, embedded: bool) -> PlaneProfile:
    """What an Envoy is there for.

    Raises:
        NodeError: It says something that cannot be used.
    """
    problems = dns_subdomain_problems(node.id)
    if problems:
        raise NodeError(f"node.id {node.id[:64]!r} names the DataPlane: it {'; '.join(problems)}")
    given = MessageToDict(node.metadata).get(METADATA, {})
    if not isinstance(given, dict):
        raise NodeError(f"node.metadata.{METADATA} must be an object with some of {', '.join(_KEYS)}")
    unknown = sorted(given.keys() - set(_KEYS))
    if unknown:
        raise NodeError(f"node.metadata.{METADATA}.{unknown[0][:64]} is unknown: use {', '.join(_KEYS)}")
    scopes = _texts(given, "scopes") or list(SCOPES)
    if set(scopes) - set(SCOPES):
        raise NodeError(f"node.metadata.{METADATA}.scopes must be of {', '.join(SCOPES)}")
    pools, name = _texts(given, "pools"), given.get("node", "")
    if not isinstance(name, str) or (name and dns_subdomain_problems(name)):
        raise NodeError(f"node.metadata.{METADATA}.node must be the name of a Node")
    return PlaneProfile(
        scopes=tuple(sorted(set(scopes))),
        pools=tuple(sorted(set(pools))) if pools else None,
        node=name,
        node_addresses=tuple(map(_address, _texts(given, "nodeAddresses"))),
        embedded=embedded,
    )


def version_of(node: Node) -> str:
    """The program and its version."""
    version = node.user_agent_build_version.version
    numbers = f"{version.major_number}.{version.minor_number}.{version.patch}"
    return f"{node.user_agent_name or 'unknown'} {node.user_agent_version or numbers}"[:64]


def _texts(given: dict[str, Any], key: str) -> Sequence[str]:
    found = given.get(key, [])
    if not isinstance(found, list) or len(found) > _MOST_ITEMS or not all(isinstance(each, str) for each in found):
        raise NodeError(f"node.metadata.{METADATA}.{key} must be a list of at most {_MOST_ITEMS} texts")
    return found


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise NodeError(f"node.metadata.{METADATA}.nodeAddresses must be IP addresses, not {text[:64]!r}") from error
