"""Which objects a search finds: the parameter `search` of lists and watches."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from app.domain.declarations.columns import AGE
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import KubeObject
from app.domain.errors import BadRequest

LONGEST = 200
"""Characters that a search may have: each word is looked for in each object."""


class Search:
    """Words that somebody looks for.

    Args:
        kind: The kind of the objects.
        text: The words, separated by blanks. Case does not matter.

    Raises:
        BadRequest: The text is longer than `LONGEST`.
    """

    def __init__(self, kind: Kind[Any], text: str) -> None:
        if len(text) > LONGEST:
            raise BadRequest(f"search must have at most {LONGEST} characters")
        self._kind = kind
        self._words = text.lower().split()

    def finds(self, wire: bytes) -> bool:
        """Whether each word is part of a text by which an encoded object is found."""
        text = _text(self._kind, wire)
        return all(word in text for word in self._words)


@lru_cache(maxsize=32_768)
def _text(kind: Kind[Any], wire: bytes) -> str:
    """All texts by which an object is found, remembered since a page asks again whenever something changes."""
    return "\n".join(_texts(kind, decode_object(kind, wire))).lower()


def _texts(kind: Kind[Any], obj: KubeObject) -> Iterator[str]:
    """The namespace, what the Table shows, and labels. Ages are left out, since they change while nobody looks."""
    yield obj.metadata.namespace or ""
    for column in kind.columns:
        if column is not AGE:
            cell = column.cell(obj, "")
            yield "" if cell is None else str(cell)
    for key, value in (obj.metadata.labels or {}).items():
        yield f"{key}={value}"
    yield from kind.found_by(obj)
