"""Resources as xDS carries them: named, versioned by their content, already encoded."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from app.mirror.entry import NamespacedName

_PREFIX = "type.googleapis.com/envoy.config"

CLUSTER = f"{_PREFIX}.cluster.v3.Cluster"
ASSIGNMENT = f"{_PREFIX}.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{_PREFIX}.listener.v3.Listener"
TYPES = (CLUSTER, ASSIGNMENT, LISTENER)
"""In the order in which an Envoy has to get them, so that nothing refers to what is not there yet."""

_VERSION_BYTES = 12


class Resource(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One resource.

    Attributes:
        type_url: One of `TYPES`.
        name: Unique among those of its type.
        version: Of the content: the same in every process and after every restart, so that an Envoy that connects to
            another process is not sent again what it has.
        body: The encoded message.
        needs: The clusters that a listener refers to.
        owner: Namespace and name of the Service.
    """

    type_url: str
    name: str
    version: str
    body: bytes
    owner: NamespacedName
    needs: tuple[str, ...] = ()

    def packed(self) -> AnyMessage:
        """The message as responses carry it."""
        return AnyMessage(type_url=self.type_url, value=self.body)


def resource(type_url: str, name: str, message: Message, owner: NamespacedName, needs: Sequence[str] = ()) -> Resource:
    """Encode a message. Equal messages get equal versions."""
    body = message.SerializeToString(deterministic=True)
    version = blake2b(body, digest_size=_VERSION_BYTES).hexdigest()
    return Resource(type_url, name, version, body, owner, tuple(needs))
