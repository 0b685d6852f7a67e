"""The tables of claims, of which each thing in them has one holder, who held what, and the function that writes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.claim_tables import CLAIM_NUMBERS, ClaimTable
from migrations.write_function import write_function

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

loses = "which addresses and ports are held, and were"
"""What is lost on the way back."""

_TABLES = (
    ClaimTable("cluster_ips", (("address", "inet"),), recorded=True),
    ClaimTable("node_ports", (("port", "integer"),), recorded=True),
    ClaimTable("lb_addresses", (("address", "inet"),), shareable=True, recorded=True),
    ClaimTable("lb_ports", (("address", "inet"), ("protocol", "text"), ("port", "integer")), recorded=True),
)


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence(CLAIM_NUMBERS, data_type=sa.BigInteger)))
    _history()
    for table in _TABLES:
        table.create()
    op.get_bind().exec_driver_sql(write_function(_TABLES))


def downgrade() -> None:
    op.execute("DROP FUNCTION fairlead_write")
    for table in _TABLES:
        op.drop_table(table.name)
    op.drop_table("address_history")
    op.execute(sa.schema.DropSequence(sa.Sequence(CLAIM_NUMBERS)))


def _history() -> None:
    """The claims that have ended, each once."""
    name, instant = sa.Text(collation="C"), sa.DateTime(timezone=True)
    op.create_table(
        "address_history",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("claims", name, nullable=False),
        sa.Column("address", postgresql.INET),
        sa.Column("protocol", name),
        sa.Column("port", sa.Integer),
        sa.Column("owner", sa.Uuid, nullable=False),
        sa.Column("kind", name, nullable=False),
        sa.Column("namespace", name, nullable=False),
        sa.Column("name", name, nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("until", instant, nullable=False),
    )
    op.create_index("address_history_address", "address_history", ["address", "number"])
    op.create_index("address_history_name", "address_history", ["namespace", "name", "number"])
    op.create_index("address_history_until", "address_history", ["until"])
