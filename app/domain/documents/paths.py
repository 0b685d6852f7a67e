"""The place of a value in a document, and its text in messages.

Each value that is read has a path, and messages name only a few of them. So a path is a chain of pairs, which takes
constant time to make, and its text is made when a message needs it.
"""

from typing import Union

from app.domain.errors import shortened

Path = Union[tuple["Path", str | int], None]  # noqa: UP007 - `|` takes no name that is yet to be defined
"""The path of the container and the name or index in it; None is the document itself."""

MAX_PROBLEMS = 100
"""Unknown fields, and duplicate fields, that are collected from a body. Kubernetes stops at the same number."""


def path_text(path: Path) -> str:
    """Spell a path as the API server does: `spec.ports[0].name`, with long names and long paths shortened."""
    parts: list[str] = []
    while path is not None:
        path, step = path
        parts.append(f"[{step}]" if isinstance(step, int) else f".{shortened(step)}")
    return shortened("".join(reversed(parts)).removeprefix("."))


def is_within(path: Path, containers: set[Path]) -> bool:
    """Whether a path is one of `containers` or leads into one of them."""
    while path is not None:
        if path in containers:
            return True
        path = path[0]
    return False
