"""Objects, the log of changes, claims, leases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.Text(collation="C")
_INSTANT = sa.DateTime(timezone=True)
_CLAIMS = ("cluster_ips", "node_ports", "lb_addresses", "lb_ports")


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("revisions", data_type=sa.BigInteger)))
    _objects()
    _log()
    _coordination()
    _claims()


def downgrade() -> None:
    for table in (*_CLAIMS, "leases", "batches", "compaction", "changes", "objects"):
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
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("objects_name", "objects", ["namespace", "kind", "name"], unique=True)
    op.create_index("objects_unpublished", "objects", ["ordinal"], postgresql_where=sa.text("NOT published"))
    op.create_index(
        "objects_pending", "objects", ["kind", "ordinal"], postgresql_where=sa.text("pending AND published")
    )
    # Room on the page for the next state, so that most updates leave the indexes alone.
    op.execute("ALTER TABLE objects SET (fillfactor = 75)")


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
        sa.Column("expires_at", _INSTANT, nullable=False),
    )


def _claims() -> None:
    shared = sa.Column("shared", sa.Boolean, nullable=False)
    protocol = sa.Column("protocol", sa.Text, primary_key=True)
    op.create_table("cluster_ips", _address(), _owner())
    op.create_table("node_ports", _port(), _owner())
    op.create_table("lb_addresses", _address(), _owner(primary_key=True), shared)
    op.create_table("lb_ports", _address(), _port(), protocol, _owner())
    for table in _CLAIMS:
        op.create_index(f"ix_{table}_owner", table, ["owner"])
    op.create_index(
        "lb_addresses_exclusive", "lb_addresses", ["address"], unique=True, postgresql_where=sa.text("NOT shared")
    )


def _address() -> sa.Column[object]:
    return sa.Column("address", postgresql.INET, primary_key=True)


def _port() -> sa.Column[object]:
    return sa.Column("port", sa.Integer, primary_key=True, autoincrement=False)


def _owner(*, primary_key: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey("objects.uid", ondelete="CASCADE")
    return sa.Column("owner", sa.Uuid, reference, primary_key=primary_key, nullable=False)
