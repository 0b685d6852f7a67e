"""ConfigMap (core/v1): configuration under keys, as text or as bytes."""

from app.domain.documents.objects import KubeObject


class ConfigMap(KubeObject):
    """Configuration that programs read, under keys.

    Attributes:
        data: Texts by key. A key has letters, digits, `-`, `_` and `.`.
        binary_data: Bytes by key, in base64. No key may be in `data`, too.
        immutable: Whether the data can no longer be changed. Once true, it stays true.
    """

    data: dict[str, str] | None = None
    binary_data: dict[str, bytes] | None = None
    immutable: bool | None = None
