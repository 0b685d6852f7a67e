"""The table columns that every kind has."""

from collections.abc import Sequence
from typing import Any

from app.domain.declarations.kind import Column
from app.domain.documents.objects import KubeObject
from app.domain.timestamps import age

_SHOWN = 3


def first_few(items: Sequence[str]) -> str:
    """A list as one cell: the first three, and how many more there are."""
    more = len(items) - _SHOWN
    return ",".join(items[:_SHOWN]) + (f" + {more} more..." if more > 0 else "")


def _name(obj: KubeObject, _now: str) -> str:
    return obj.metadata.name


def _age(obj: KubeObject, now: str) -> str:
    return age(obj.metadata.creation_timestamp, now)


NAME: Column[Any] = Column(
    "Name", _name, format="name", description="The object's name, unique for its kind and scope."
)

AGE: Column[Any] = Column("Age", _age, description="Time since the object was created.")
