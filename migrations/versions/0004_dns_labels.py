"""Labels of names in DNS zones: each is one object's."""

from alembic import op

from migrations.claim_tables import ClaimTable
from migrations.write_function import write_function

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

loses = "which names in public zones are held"
"""What is lost on the way back."""

_BEFORE = (
    ClaimTable("cluster_ips", (("address", "inet"),), recorded=True),
    ClaimTable("node_ports", (("port", "integer"),), recorded=True),
    ClaimTable("lb_addresses", (("address", "inet"),), shareable=True, recorded=True),
    ClaimTable("lb_ports", (("address", "inet"), ("protocol", "text"), ("port", "integer")), recorded=True),
)
_TABLE = ClaimTable("dns_labels", (("zone", "text"), ("label", "text")))


def upgrade() -> None:
    _TABLE.create()
    op.get_bind().exec_driver_sql(write_function((*_BEFORE, _TABLE)))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(write_function(_BEFORE))
    op.drop_table(_TABLE.name)
