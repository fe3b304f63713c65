"""The Django project under apps/shop, configured for each backend."""
import json
import shutil

from harness import APPS, PYTHON, free_port, http_get, wait_until

SHOP_FAILING_MIGRATION = """
from django.db import migrations


def fail(apps, editor):
    raise RuntimeError("this migration was made to fail")


class Migration(migrations.Migration):
    dependencies = [("notes", "0002_note_starred")]
    operations = [migrations.RunPython(fail)]
"""


class Shop:
    """A copy of the project in a directory of its own, and the configuration that boots it."""

    def __init__(self, directory, database):
        self.project = directory / "shop"
        if not self.project.exists():
            shutil.copytree(APPS / "shop", self.project)
        self.port = free_port()
        self.database = database

    def config(self):
        return {
            "name": "shop",
            "database": {
                **self.database,
                "export": {"SHOP_BACKEND": {"form": "backend"}, "SHOP_PATH": {"form": "path"}},
            },
            "migrations": {
                "tool": "django",
                "command": [PYTHON, "manage.py", "migrate", "--noinput"],
                "check_command": [PYTHON, "manage.py", "migrate", "--check"],
                "working_dir": str(self.project),
            },
            "workers": {
                "web": {
                    "command": [PYTHON, "-m", "gunicorn", "shop.wsgi", "-b", f"127.0.0.1:{self.port}", "--workers=2"],
                    "working_dir": str(self.project),
                    "ready": {"http": {"url": f"http://127.0.0.1:{self.port}/health"}},
                    "stop_grace_period": "20s",
                }
            },
        }

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def add_note(self, text):
        assert http_get(self.url("notes"), text.encode()) is not None

    def notes(self):
        body = wait_until(lambda: http_get(self.url("notes")), "the shop's notes")
        return json.loads(body)["notes"]

    def add_failing_migration(self):
        (self.project / "notes" / "migrations" / "0003_fails.py").write_text(SHOP_FAILING_MIGRATION)
