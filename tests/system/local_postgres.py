"""A container with its own PostgreSQL cluster, and questions to that server."""
import hashlib
import os
import shutil
import subprocess

from harness import free_port
from programs import IDLE

PASSWORD = "p@ss:/%# \"'word"
# Succeeds once, and only on a database without the table: applied twice it fails.
CREATE = [
    "psql",
    "-XAtq",
    "-v",
    "ON_ERROR_STOP=1",
    "-c",
    "CREATE TABLE kept (v text)",
    "-c",
    "INSERT INTO kept VALUES ('first boot')",
]
PENDING = ["psql", "-XAtqc", "SELECT * FROM kept"]


class LocalCluster:
    """The cluster's directory and the configuration of a container that runs it."""

    def __init__(self, folder, name="cluster", **postgres):
        self.parent = folder / name
        self.parent.mkdir(exist_ok=True)
        shutil.chown(self.parent, "postgres", "postgres")
        self.data = self.parent / "data"
        self.port = free_port()
        self.postgres = {
            "local": True,
            "port": self.port,
            "name": "app",
            "user": "app",
            "password": PASSWORD,
            **postgres,
        }
        self.cluster = {"data_dir": str(self.data), "init_scripts": ""}
        self.sections = {}

    def config(self):
        return {
            "database": {"backend": "postgres", "postgres": {**self.postgres, "cluster": self.cluster}},
            "migrations": {"command": CREATE, "check_command": PENDING},
            "workers": {"web": {"command": IDLE}},
            **self.sections,
        }

    def psql(self, text, password=None, user=None, database=None, host="127.0.0.1", port=None):
        """The finished process of one statement over the network."""
        return subprocess.run(
            [
                "psql",
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                host,
                "-p",
                str(port or self.port),
                "-U",
                user or self.postgres["user"],
                "-d",
                database or self.postgres["name"],
                "-c",
                text,
            ],
            env={**os.environ, "PGPASSWORD": self.postgres.get("password", "") if password is None else password},
            capture_output=True,
            text=True,
        )

    def sql(self, text, **options):
        done = self.psql(text, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def tree_hash(folder):
    """One hash over names, owners, modes and contents below a directory, itself included."""
    digest = hashlib.sha256()
    for path in sorted([folder, *folder.rglob("*")]):
        info = path.lstat()
        digest.update(f"{path.relative_to(folder)} {info.st_mode:o} {info.st_uid} {info.st_gid}\n".encode())
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()
