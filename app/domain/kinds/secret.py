"""Secret (core/v1): confidential data under keys."""

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Confidential


class Secret(KubeObject):
    """Passwords, keys and the like, under keys.

    Attributes:
        data: Bytes by key, in base64. A key has letters, digits, `-`, `_` and `.`.
        string_data: Texts by key, for writing only. Each replaces the value of its key in `data`.
        type: The purpose of the data, such as kubernetes.io/tls. It says which keys are required. Opaque when left out.
        immutable: Whether the data can no longer be changed. Once true, it stays true.
    """

    data: dict[str, bytes] | None = None
    string_data: dict[str, Confidential] | None = None
    type: str = ""
    immutable: bool | None = None
