"""Adds a column; applied twice it fails."""
import sqlalchemy as sa
from alembic import op

revision = "0003_entry_account"
down_revision = "0002_entries"


def upgrade():
    op.add_column("entry", sa.Column("account_id", sa.Integer))
    op.execute("INSERT INTO applied VALUES ('0003_entry_account')")
