"""The base of all models: names on the wire, types of numbers and times as in Go, and how lists and maps merge."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from app.domain.documents.quantities import QUANTITY_PATTERN
from app.domain.timestamps import MICRO_TIME_PATTERN, TIME_PATTERN

_ACRONYMS = {"ip": "IP", "ips": "IPs", "cidr": "CIDR", "cidrs": "CIDRs", "id": "ID", "uid": "UID", "url": "URL",
             "uuid": "UUID"}  # fmt: skip


def wire_name(snake: str) -> str:
    """The name of a field on the wire: `cluster_ips` is `clusterIPs`."""
    first, *rest = snake.rstrip("_").split("_")
    return first + "".join(_ACRONYMS.get(part, part.capitalize()) for part in rest)


class Wire(msgspec.Struct, rename=wire_name, omit_defaults=True, forbid_unknown_fields=True):
    """A part of a document. Its fields are camelCase on the wire and snake_case here.

    Decoding requires no field: as in Go, one that is left out has its zero value. Rules refuse that where it is wrong.

    Attributes:
        atomic: Whether it has one owner in server-side apply, and is replaced as a whole (`x-kubernetes-map-type:
            atomic`).
        required: Fields that are required in the OpenAPI documents, as in Kubernetes'. The rules of the kind refuse an
            object without them, or defaults fill them in.
    """

    atomic: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ()


def patch_key(*keys: str, strategic: str | None = None) -> Meta:
    """Declare how a list of objects merges.

    Args:
        keys: The list-map keys of server-side apply (`x-kubernetes-list-map-keys`).
        strategic: The merge key of strategic merge patch; the first of `keys` when None.
    """
    return Meta(
        extra_json_schema={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": list(keys),
            "x-kubernetes-patch-merge-key": strategic or keys[0],
            "x-kubernetes-patch-strategy": "merge",
        }
    )


MERGE_SET = Meta(extra_json_schema={"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"})
"""A list of scalars that strategic merge patch and server-side apply merge as a set."""


ATOMIC = Meta(extra_json_schema={"x-kubernetes-list-type": "atomic"})
"""A list that is replaced as a whole."""


ATOMIC_MAP = Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})
"""A map that server-side apply replaces as a whole."""


def api_default(value: str) -> Meta:
    """Declare the default of a field that is a key of list items.

    Server-side apply identifies list items before the kind's defaults are set.
    """
    return Meta(extra_json_schema={"default": value})


def one_of(*words: str) -> Meta:
    """Declare the values of a text, for the OpenAPI documents. Rules refuse others where they are wrong."""
    return Meta(extra_json_schema={"enum": list(words)})


PROTOCOL = one_of("TCP", "UDP", "SCTP")
"""The protocol of a port."""


CONDITION_STATUS = one_of("True", "False", "Unknown")
"""Whether a condition holds."""


IP_FAMILY = one_of("IPv4", "IPv6")
"""A family of addresses."""


Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Go's `int32`, the type of most integers of the API. Decoding refuses a number that does not fit."""


Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's `int64`."""


QUANTITY = "quantity"
"""The format of a text that is a quantity."""


Time = Annotated[str, Meta(pattern=TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment in whole seconds UTC (`metav1.Time`); decoding turns any RFC 3339 timestamp into this form."""


MicroTime = Annotated[str, Meta(pattern=MICRO_TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment with six digits of a second, UTC (`metav1.MicroTime`); decoding accepts any RFC 3339 timestamp."""


Quantity = Annotated[str, Meta(pattern=QUANTITY_PATTERN, extra_json_schema={"format": QUANTITY})]
"""An amount such as 5, 1500m or 2Gi (`resource.Quantity`); decoding accepts numbers, too. Rules write it as Kubernetes
does."""


Confidential = Annotated[str, Meta(extra_json_schema={"format": "password"})]
"""A text that no message shows, not even to those who sent it: their terminals and logs have other readers."""


def null() -> None:
    """The default factory of a field that is `null` on the wire where other fields are left out."""


KEEPS_EMPTY = Meta(extra={"keeps_empty": True})
"""A list or map that means something else when it is empty than when it is left out. Mostly both mean the same."""
