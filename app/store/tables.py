"""The tables for SQLAlchemy. The migrations make them, and a test compares the two."""

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

# Names are compared byte by byte, whatever the locale of the database: that is the same order everywhere, and faster.
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
    # By measure, what the object uses of quotas beside that it is one of its kind; NULL is nothing.
    Column("charges", JSONB),
    Column("body", LargeBinary, nullable=False),
    # The context in which it was written, where that is traced.
    Column("trace", Text),
    # Namespace first: one query asks what is left in a namespace.
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
    Column("trace", Text),
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
    # NULL marks a batch that was given up. A late run of it is refused.
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

# What a ResourceQuota limits; the function that writes keeps it.
quota_limits = Table(
    "quota_limits",
    metadata,
    Column("owner", Uuid, ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
    Column("resource", _NAME, primary_key=True),
    Column("namespace", _NAME, nullable=False),
    Column("quota", _NAME, nullable=False),
    Column("measure", _NAME, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("shown", Text, nullable=False),
    Index("quota_limits_measure", "namespace", "measure"),
)

# How much there is of what is limited. There are no other rows.
quota_usage = Table(
    "quota_usage",
    metadata,
    Column("namespace", _NAME, primary_key=True),
    Column("measure", _NAME, primary_key=True),
    Column("used", BigInteger, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("private_key", LargeBinary, nullable=False),
    Column("created_at", _INSTANT, nullable=False, server_default=func.now()),
    # No token that it signed is valid after this.
    Column("last_expiry", _INSTANT, nullable=False, server_default=func.now()),
)

settings = Table("settings", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


_KEY_TYPES: dict[str, TypeEngine[Any]] = {"inet": INET(), "integer": Integer(), "text": _NAME}

CLAIM_NUMBERS = Sequence("claim_numbers", metadata=metadata, data_type=BigInteger)

# The claims that have ended, each once; those that have not are in the tables of claims.
address_history = Table(
    "address_history",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("claims", _NAME, nullable=False),
    Column("address", INET),
    Column("protocol", _NAME),
    Column("port", Integer),
    Column("owner", Uuid, nullable=False),
    Column("kind", _NAME, nullable=False),
    Column("namespace", _NAME, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("since", _INSTANT, nullable=False),
    Column("until", _INSTANT, nullable=False),
    Index("address_history_address", "address", "number"),
    Index("address_history_name", "namespace", "name", "number"),
    Index("address_history_until", "until"),
)

UNIQUE_ROLES = {"own": "role IN ('own', 'alone')", "static": "role = 'static'"}
"""Which owners of a thing that can be shared there is only one of."""


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
        for name in ("home", "role"):
            table.append_column(Column(name, _NAME, nullable=False))
        for role, where in UNIQUE_ROLES.items():
            Index(f"{declared.name}_{role}", *table.c[: len(keys)], unique=True, postgresql_where=text(where))
    if declared.recorded:
        number = CLAIM_NUMBERS.next_value()
        table.append_column(Column("number", BigInteger, nullable=False, index=True, server_default=number))
        table.append_column(Column("since", _INSTANT, nullable=False))
    return table


claim_tables = [_claim_table(declared) for declared in CLAIM_TABLES.values()]
