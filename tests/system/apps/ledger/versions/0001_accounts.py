"""Creates the accounts and the diary in which every revision writes once."""
import sqlalchemy as sa
from alembic import op

revision = "0001_accounts"
down_revision = None


def upgrade():
    op.create_table(
        "account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("owner", sa.Text, nullable=False)
    )
    op.create_table("applied", sa.Column("revision", sa.Text, nullable=False))
    op.execute("INSERT INTO applied VALUES ('0001_accounts')")
