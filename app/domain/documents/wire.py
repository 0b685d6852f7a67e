"""What every model is made of: the wire's spelling, Go's number and time types, and how lists and maps merge."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from app.domain.timestamps import MICRO_TIME_PATTERN, TIME_PATTERN

_ACRONYMS = {"ip": "IP", "ips": "IPs", "cidr": "CIDR", "cidrs": "CIDRs", "id": "ID", "uid": "UID", "url": "URL",
             "uuid": "UUID"}  # fmt: skip


def wire_name(snake: str) -> str:
    """Spell a field as the Kubernetes wire does: `load_balancer_source_ranges`, `cluster_ips` -> `clusterIPs`."""
    first, *rest = snake.rstrip("_").split("_")
    return first + "".join(_ACRONYMS.get(part, part.capitalize()) for part in rest)


class Wire(msgspec.Struct, rename=wire_name, omit_defaults=True, forbid_unknown_fields=True):
    """A piece of a document, spelled in camelCase on the wire and in snake_case here.

    No field is required: as in Go, what is left out is the zero value, and a rule says so if that will not do.

    Attributes:
        atomic: Whether server-side apply gives it one owner as a whole (`x-kubernetes-map-type: atomic`).
        required: Fields that the OpenAPI documents ask for, as Kubernetes' own do. The kind's rules refuse what lacks
            them, or defaults fill them in.
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
"""A list of scalars that both kinds of patch treat as a set."""


ATOMIC = Meta(extra_json_schema={"x-kubernetes-list-type": "atomic"})
"""A list that is replaced whole."""


ATOMIC_MAP = Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})
"""A map that is replaced whole by server-side apply."""


def api_default(value: str) -> Meta:
    """Declare what the API server puts where a field is left out, for fields that tell list items apart.

    Server-side apply must know a list item before defaulting has seen it.
    """
    return Meta(extra_json_schema={"default": value})


Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Go's `int32`, which most integers of the API are; what does not fit is refused when it is decoded."""


Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's `int64`."""


Time = Annotated[str, Meta(pattern=TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment in whole seconds UTC (`metav1.Time`); decoding turns any RFC 3339 timestamp into this form."""


MicroTime = Annotated[str, Meta(pattern=MICRO_TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment with six digits of a second, UTC (`metav1.MicroTime`); decoding accepts any RFC 3339 timestamp."""


Confidential = Annotated[str, Meta(extra_json_schema={"format": "password"})]
"""A text that no message shows, not even to those who sent it: their terminals and logs have other readers."""


def null() -> None:
    """Default factory of a field that the wire shows as `null` rather than leaving it out."""


KEEPS_EMPTY = Meta(extra={"keeps_empty": True})
"""A list or map whose empty form says something else than leaving it out; mostly they mean the same."""
