"""Where a value is in a document, and how messages name that place.

Every value that is read has a path, and only the few that messages name need its text. So a path is a chain of pairs,
each made in constant time, and its text is put together when it is asked for.
"""

from typing import Union

from app.domain.errors import shortened

Path = Union[tuple["Path", str | int], None]  # noqa: UP007 - `|` takes no name that is yet to be defined
"""The path of the container and the name or index in it; None is the document itself."""

MAX_PROBLEMS = 100
"""Problems of one kind that are collected from a body; Kubernetes stops at as many."""


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
