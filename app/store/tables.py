"""The tables, as SQLAlchemy knows them; the migrations make them, and a test holds the two equal."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    Uuid,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.types import TypeEngine

from app.store.claim_tables import CLAIM_TABLES, ClaimTable

metadata = MetaData()

# Names are compared byte by byte, whatever the database's locale: the same order everywhere, and faster.
_NAME = Text(collation="C")
_INSTANT = DateTime(timezone=True)

revisions = Sequence("revisions", metadata=metadata, data_type=BigInteger)

objects = Table(
    "objects",
    metadata,
    Column("uid", Uuid, primary_key=True),
    Column("kind", _NAME, nullable=False),
    Column("namespace", _NAME, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("revision", BigInteger),
    # A column of its own, because an index on `revision` would make every update touch every index.
    Column("published", Boolean, Computed("revision IS NOT NULL", persisted=True), nullable=False),
    Column("pending", Boolean, nullable=False),
    Column("deletion_timestamp", _INSTANT),
    Column("body", LargeBinary, nullable=False),
    # Namespace first: what is left in a namespace is asked, too.
    Index("objects_name", "namespace", "kind", "name", unique=True),
    Index("objects_unpublished", "ordinal", postgresql_where=text("NOT published")),
    Index("objects_pending", "kind", "ordinal", postgresql_where=text("pending AND published")),
)

changes = Table(
    "changes",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", _NAME, nullable=False),
    Column("namespace", _NAME, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("uid", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("previous_body", LargeBinary),
    Column("previous_revision", BigInteger),
    Column("at", _INSTANT, nullable=False, server_default=func.now()),
)

compaction = Table(
    "compaction",
    metadata,
    Column("singleton", Boolean, CheckConstraint("singleton", name="one_row"), primary_key=True, server_default=true()),
    Column("compacted", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    # NULL marks a batch that was given up: a late run of it is refused.
    Column("outcomes", ARRAY(Text)),
    Column("revisions", ARRAY(BigInteger)),
    Column("holders", JSONB),
    Column("at", _INSTANT, nullable=False, server_default=func.now()),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("renewals", BigInteger, nullable=False),
    Column("ttl", Interval, nullable=False),
    Column("expires_at", _INSTANT, nullable=False),
)

settings = Table("settings", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


_KEY_TYPES: dict[str, TypeEngine[Any]] = {"inet": INET(), "integer": Integer(), "text": _NAME}


def _claim_table(declared: ClaimTable) -> Table:
    keys: list[Column[Any]] = [
        Column(column.name, _KEY_TYPES[column.type], primary_key=True, autoincrement=False)
        for column in declared.columns
    ]
    owner = Column(
        "owner",
        Uuid,
        ForeignKey("objects.uid", ondelete="CASCADE"),
        primary_key=declared.shareable,
        nullable=False,
        index=True,
    )
    table = Table(declared.name, metadata, *keys, owner)
    if declared.shareable:
        table.append_column(Column("shared", Boolean, nullable=False))
        exclusive = f"{declared.name}_exclusive"
        Index(exclusive, *table.c[: len(keys)], unique=True, postgresql_where=text("NOT shared"))
    return table


claim_tables = [_claim_table(declared) for declared in CLAIM_TABLES.values()]
