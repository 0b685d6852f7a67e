"""The next version of Fairlead, as far as migrations go: this one with one more."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

import migrations
from app.store import migrating
from app.store.compatibility import HEAD

NEXT = f"{int(HEAD) + 1:04}"

MIGRATION = f'''"""Colours of leases."""

from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None

oldest = "{{oldest}}"
loses = "which colour a lease has"


def upgrade() -> None:
    for statement in {{forward}}:
        op.execute(statement)


def downgrade() -> None:
    for statement in {{back}}:
        op.execute(statement)
'''


def become_next(
    directory: Path, monkeypatch: pytest.MonkeyPatch, oldest: str, forward: Sequence[str], back: Sequence[str]
) -> None:
    """Make the migrator of this process that of the next version; everything else stays this one's.

    Args:
        directory: For the migrations.
        monkeypatch: Takes it back.
        oldest: The oldest schema whose processes may go on after the migration.
        forward: Statements of the migration.
        back: Those with which it is taken back.
    """
    copied = directory / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    text = MIGRATION.format(oldest=oldest, forward=list(forward), back=list(back))
    (copied / "versions" / f"{NEXT}_colours.py").write_text(text)
    monkeypatch.setattr(migrating, "migrations", SimpleNamespace(__file__=str(copied / "__init__.py")))
    monkeypatch.setattr(migrating, "HEAD", NEXT)
