"""Continue tokens: where the next page of a list starts, and at which revision."""

import base64
import binascii

import msgspec

from app.domain.errors import BadRequest
from app.mirror.entry import Entry, NamespacedName


class ContinueToken(msgspec.Struct, frozen=True, array_like=True):
    """The last object of a page, and the revision that all pages of the list share."""

    revision: int
    namespace: str
    name: str

    @property
    def after(self) -> NamespacedName | None:
        """The object after which the page starts; None for the first page."""
        return (self.namespace, self.name) if self.name else None

    def behind(self, last: Entry) -> str:
        """The token of the page that comes after an object, at the same revision."""
        return ContinueToken(self.revision, last.namespace, last.name).encode()

    def encode(self) -> str:
        """As the opaque text of `metadata.continue`."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def decode_continue(text: str) -> ContinueToken:
    """Read a token back.

    Raises:
        BadRequest: This server did not make it.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        token = msgspec.json.decode(raw, type=ContinueToken)
    except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
        raise BadRequest("continue key is not valid: pass metadata.continue of the previous page unchanged") from error
    if token.revision < 1:
        raise BadRequest("continue key is not valid: its revision is not positive")
    return token
