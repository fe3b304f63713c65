"""Inserts a row under a fixed key; applied twice it fails."""
from alembic import op

revision = "0004_opening_entry"
down_revision = "0003_entry_account"


def upgrade():
    op.execute("INSERT INTO entry (id, cents, account_id) VALUES (1, 100, 1)")
    op.execute("INSERT INTO applied VALUES ('0004_opening_entry')")
