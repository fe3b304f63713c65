"""A real PostgreSQL server of the test's own, on loopback with a port the kernel gave."""
import os
import pathlib
import shutil
import subprocess

from harness import free_port, wait_until


def bin_dir():
    """The newest installed server's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    assert found, "PostgreSQL is not installed"
    return found[-1].parent


class PostgresServer:
    """Owned by the postgres user when the tests run as root. `stop` ends it and removes its directory."""

    def __init__(self, directory, settings=()):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.port = free_port()
        self.settings = list(settings)
        self.process = None
        self.directory.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        (self.directory / "password").write_text("superuser-secret")
        os.chmod(self.directory / "password", 0o644)
        self._as_postgres(
            bin_dir() / "initdb",
            "-D",
            self.data,
            "--username=postgres",
            "--auth=scram-sha-256",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            f"--pwfile={self.directory / 'password'}",
        )

    def _argv(self, words):
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return [*prefix, *map(str, words)]

    def _as_postgres(self, *words):
        subprocess.run(self._argv(words), check=True, capture_output=True, cwd="/")

    def start(self):
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.directory}"]
        for setting in self.settings:
            options += ["-c", setting]
        with open(self.directory / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                self._argv([bin_dir() / "postgres", "-D", self.data, "-p", self.port, *options]),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
            )
        wait_until(lambda: self.sql("SELECT 1", check=False) == "1", "the external server", 60)
        return self

    def sql(self, text, database="postgres", user="postgres", password="superuser-secret", check=True):
        """Unaligned output of one statement."""
        done = subprocess.run(
            [
                "psql",
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                user,
                "-d",
                database,
                "-c",
                text,
            ],
            env={**os.environ, "PGPASSWORD": password},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()

    def create(self, role, database, password):
        """A role that owns a database."""
        quoted = password.replace("'", "''")
        self.sql(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{quoted}'")
        self.sql(f'CREATE DATABASE "{database}" OWNER "{role}"')

    def stop(self):
        if self.process:
            self.process.send_signal(3)
            self.process.wait(30)
            self.process = None
