"""Creates the entries; applied twice it fails."""
import sqlalchemy as sa
from alembic import op

revision = "0002_entries"
down_revision = "0001_accounts"


def upgrade():
    op.create_table(
        "entry", sa.Column("id", sa.Integer, primary_key=True), sa.Column("cents", sa.BigInteger, nullable=False)
    )
    op.execute("INSERT INTO account (id, owner) VALUES (1, 'opened by a migration')")
    op.execute("INSERT INTO applied VALUES ('0002_entries')")
