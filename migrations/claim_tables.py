"""How migrations make a table of claims.

A migration is a fixed statement of its time. So what stands in this module is never changed after a release: a table
that needs something else is made by another module.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

_TYPES: dict[str, TypeEngine[Any]] = {
    "inet": postgresql.INET(),
    "integer": sa.Integer(),
    "text": sa.Text(collation="C"),
}

SOON_VACUUMED = "autovacuum_vacuum_scale_factor = 0.05"
"""Of a table whose rows come and go all the time: it is vacuumed when a twentieth is dead. By default it is a fifth."""


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """A table of claims.

    Attributes:
        name: Of the table.
        columns: Name and type of each part of a key, in the key's order.
        shareable: Whether several owners may hold the same thing, if all of them let each other.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    shareable: bool = False

    def create(self) -> None:
        """Make the table and its indexes."""
        keys: list[sa.Column[Any]] = [
            sa.Column(name, _TYPES[type_], primary_key=True, autoincrement=False) for name, type_ in self.columns
        ]
        reference = sa.ForeignKey("objects.uid", ondelete="CASCADE")
        owner = sa.Column("owner", sa.Uuid, reference, primary_key=self.shareable, nullable=False)
        shared = [sa.Column("shared", sa.Boolean, nullable=False)] if self.shareable else []
        op.create_table(self.name, *keys, owner, *shared)
        op.execute(f"ALTER TABLE {self.name} SET ({SOON_VACUUMED})")
        op.create_index(f"ix_{self.name}_owner", self.name, ["owner"])
        if self.shareable:
            columns = [name for name, _ in self.columns]
            where = sa.text("NOT shared")
            op.create_index(f"{self.name}_exclusive", self.name, columns, unique=True, postgresql_where=where)
