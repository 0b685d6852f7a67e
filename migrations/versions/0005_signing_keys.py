"""The keys with which tokens of ServiceAccounts are signed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

loses = "the keys that sign tokens of ServiceAccounts, and so all of these tokens"
"""What is lost on the way back."""


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Text(collation="C"), primary_key=True),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("last_expiry", instant, nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("signing_keys")
