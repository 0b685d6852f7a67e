"""Secret (core/v1): what only some may read, under keys."""

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Confidential


class Secret(KubeObject):
    """Passwords, keys and the like, under keys.

    Attributes:
        data: Bytes by key, in base64. A key has letters, digits, `-`, `_` and `.`.
        string_data: Texts by key, for writing only: each becomes a value of `data`, instead of one that is there.
        type: What the data is for, such as kubernetes.io/tls, which says which keys it needs; Opaque when left out.
        immutable: Whether the data stays as it is for good; it cannot be taken back.
    """

    data: dict[str, bytes] | None = None
    string_data: dict[str, Confidential] | None = None
    type: str = ""
    immutable: bool | None = None
