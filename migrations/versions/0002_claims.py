"""The tables of claims, of which each thing in them has one holder, and the function that writes."""

from alembic import op

from migrations.claim_tables import ClaimTable
from migrations.write_function import write_function

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    ClaimTable("cluster_ips", (("address", "inet"),)),
    ClaimTable("node_ports", (("port", "integer"),)),
    ClaimTable("lb_addresses", (("address", "inet"),), shareable=True),
    ClaimTable("lb_ports", (("address", "inet"), ("protocol", "text"), ("port", "integer"))),
)


def upgrade() -> None:
    for table in _TABLES:
        table.create()
    op.get_bind().exec_driver_sql(write_function(_TABLES))


def downgrade() -> None:
    op.execute("DROP FUNCTION fairlead_write")
    for table in _TABLES:
        op.drop_table(table.name)
