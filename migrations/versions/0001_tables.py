"""Objects, the log of changes, leases, and what all processes of a database have in common."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.claim_tables import SOON_VACUUMED

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

loses = "everything"
"""What is lost on the way back."""

_NAME = sa.Text(collation="C")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("revisions", data_type=sa.BigInteger)))
    _objects()
    _log()
    _coordination()
    _quotas()


def downgrade() -> None:
    for table in ("quota_usage", "quota_limits", "settings", "leases", "batches", "compaction", "changes", "objects"):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("revisions")))


def _objects() -> None:
    op.create_table(
        "objects",
        sa.Column("uid", sa.Uuid, primary_key=True),
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("ordinal", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("revision", sa.BigInteger),
        sa.Column("published", sa.Boolean, sa.Computed("revision IS NOT NULL", persisted=True), nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
        sa.Column("deletion_timestamp", _INSTANT),
        sa.Column("charges", postgresql.JSONB),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("trace", sa.Text),
    )
    op.create_index("objects_name", "objects", ["namespace", "kind", "name"], unique=True)
    op.create_index("objects_unpublished", "objects", ["ordinal"], postgresql_where=sa.text("NOT published"))
    op.create_index(
        "objects_pending", "objects", ["kind", "ordinal"], postgresql_where=sa.text("pending AND published")
    )
    # Room on the page for the next state, so that most updates leave the indexes alone.
    op.execute(f"ALTER TABLE objects SET (fillfactor = 75, {SOON_VACUUMED})")


def _log() -> None:
    op.create_table(
        "changes",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("uid", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("previous_body", sa.LargeBinary),
        sa.Column("previous_revision", sa.BigInteger),
        sa.Column("at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("trace", sa.Text),
    )
    # A change carries two bodies, is read a few times at most and soon gone: compressing them never pays.
    op.execute("ALTER TABLE changes SET (toast_tuple_target = 8160)")
    op.create_table(
        "compaction",
        sa.Column(
            "singleton",
            sa.Boolean,
            sa.CheckConstraint("singleton", name="one_row"),
            primary_key=True,
            server_default=sa.true(),
        ),
        sa.Column("compacted", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO compaction (compacted) VALUES (0)")


def _coordination() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("outcomes", postgresql.ARRAY(sa.Text)),
        sa.Column("revisions", postgresql.ARRAY(sa.BigInteger)),
        sa.Column("holders", postgresql.JSONB),
        sa.Column("at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("renewals", sa.BigInteger, nullable=False),
        sa.Column("ttl", sa.Interval, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "settings", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def _quotas() -> None:
    """What ResourceQuotas limit, and how much of it is used."""
    op.create_table(
        "quota_limits",
        sa.Column("owner", sa.Uuid, sa.ForeignKey("objects.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("resource", _NAME, primary_key=True),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("quota", _NAME, nullable=False),
        sa.Column("measure", _NAME, nullable=False),
        sa.Column("most", sa.BigInteger, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
    )
    op.create_index("quota_limits_measure", "quota_limits", ["namespace", "measure"])
    op.create_table(
        "quota_usage",
        sa.Column("namespace", _NAME, primary_key=True),
        sa.Column("measure", _NAME, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
    )
    # The same few rows change with every write: their room is used again, and soon.
    op.execute(f"ALTER TABLE quota_usage SET (fillfactor = 50, {SOON_VACUUMED})")
