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

UNIQUE_ROLES = {"own": "role IN ('own', 'alone')", "static": "role = 'static'"}
"""Which owners of a thing that can be shared there is only one of: who was given it, and who keeps it for others."""

CLAIM_NUMBERS = "claim_numbers"
"""The sequence that numbers claims in the order in which they were taken."""


def _recorded() -> list[sa.Column[Any]]:
    """What is kept of a claim whose holders are remembered."""
    number = sa.text(f"nextval('{CLAIM_NUMBERS}')")
    return [
        sa.Column("number", sa.BigInteger, server_default=number, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    ]


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """A table of claims.

    Attributes:
        name: Of the table.
        columns: Name and type of each part of a key, in the key's order.
        shareable: Whether several owners may hold the same thing. Its keys go on with the home of the thing and the
            role in which the owner holds it (see the module of the write function).
        recorded: Whether it is remembered who held a thing, and from when to when.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    shareable: bool = False
    recorded: bool = False

    def create(self) -> None:
        """Make the table and its indexes."""
        keys: list[sa.Column[Any]] = [
            sa.Column(name, _TYPES[type_], primary_key=True, autoincrement=False) for name, type_ in self.columns
        ]
        reference = sa.ForeignKey("objects.uid", ondelete="CASCADE")
        owner = sa.Column("owner", sa.Uuid, reference, primary_key=self.shareable, nullable=False)
        how = [sa.Column(name, _TYPES["text"], nullable=False) for name in ("home", "role") if self.shareable]
        op.create_table(self.name, *keys, owner, *how, *(_recorded() if self.recorded else ()))
        op.execute(f"ALTER TABLE {self.name} SET ({SOON_VACUUMED})")
        op.create_index(f"ix_{self.name}_owner", self.name, ["owner"])
        if self.recorded:
            op.create_index(f"ix_{self.name}_number", self.name, ["number"])
        if self.shareable:
            columns = [name for name, _ in self.columns]
            for role, where in UNIQUE_ROLES.items():
                index = f"{self.name}_{role}"
                op.create_index(index, self.name, columns, unique=True, postgresql_where=sa.text(where))
