"""Fixtures of the tests with real processes: every container and server a test starts is ended with it."""
import os
import pathlib
import shutil
import tempfile

import pytest

from harness import Container
from postgres_server import PostgresServer


def open_to_workers(folder):
    """Workers run as other users and must reach their files: the test's directory and its parents become passable."""
    for path in [folder, *folder.parents][:3]:
        if path != pathlib.Path("/tmp") and path != pathlib.Path("/"):
            os.chmod(path, 0o755)


@pytest.fixture
def tmp_path():
    """Not pytest's own: each of its sessions closes the parent of all to other users, and socket paths must be short."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-test-", dir="/tmp"))
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def container(tmp_path):
    """Makes containers below the test's directory and ends what the test left running."""
    made = []
    open_to_workers(tmp_path)

    def make(config=None, name="c", **options):
        one = Container(tmp_path / name, config, **options)
        os.chmod(tmp_path / name, 0o755)
        made.append(one)
        return one

    yield make
    for one in made:
        one.kill()


@pytest.fixture(scope="module")
def module_server():
    """One running external PostgreSQL server for a file's tests; each makes its own role and database."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-server-", dir="/tmp"))
    os.chmod(folder, 0o755)
    server = PostgresServer(folder / "server").start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
