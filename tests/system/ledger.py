"""The Alembic project under apps/ledger, configured for each backend."""
import shutil

from harness import APPS, PYTHON
from programs import IDLE

REVISIONS = ["0001_accounts", "0002_entries", "0003_entry_account", "0004_opening_entry"]


class Ledger:
    """A copy of the project in a directory of its own, and the configuration that boots it."""

    def __init__(self, directory, database):
        self.project = directory / "ledger"
        if not self.project.exists():
            shutil.copytree(APPS / "ledger", self.project)
        self.database = database

    def config(self):
        return {
            "name": "ledger",
            "database": {**self.database, "export": {"LEDGER_DB_URL": {"form": "url"}}},
            "migrations": {
                "tool": "alembic",
                "command": [PYTHON, "-m", "alembic", "upgrade", "head"],
                "working_dir": str(self.project),
            },
            "workers": {"app": {"command": IDLE}},
        }
