"""Alembic's environment: the database comes from the variable that Slipway exports."""
import os

from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["LEDGER_DB_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        transaction_per_migration=True,
        on_version_apply=lambda step, **_: print("Running upgrade to", step.up_revision_id, flush=True),
    )
    with context.begin_transaction():
        context.run_migrations()
