"""Data directories that are not ours to touch are refused with 73, their contents unchanged; leftovers of a crash are not."""
import os
import shutil
import subprocess

import pytest

from fixtures import open_to_workers
from harness import wait_until
from local_postgres import LocalCluster, tree_hash
from postgres_server import PostgresServer
from processes import alive


@pytest.fixture
def cluster(tmp_path):
    return LocalCluster(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A stopped cluster that Slipway did not make."""
    folder = tmp_path_factory.mktemp("whole")
    open_to_workers(folder)
    server = PostgresServer(folder / "server")
    yield server.data
    shutil.rmtree(folder, ignore_errors=True)


def as_postgres(path):
    subprocess.run(["chown", "-R", "postgres:postgres", path], check=True)


def other_version(data, whole):
    shutil.copytree(whole, data)
    as_postgres(data)
    os.chmod(data, 0o700)
    (data / "PG_VERSION").write_text("11\n")


def unknown_files(data, whole):
    data.mkdir()
    (data / "precious.txt").write_text("mine")
    as_postgres(data)


def lost_and_found(data, whole):
    (data / "lost+found").mkdir(parents=True)
    as_postgres(data)


def wrong_owner(data, whole):
    shutil.copytree(whole, data)
    subprocess.run(["chown", "-R", "daemon:daemon", data], check=True)
    os.chmod(data, 0o700)


def wrong_mode(data, whole):
    shutil.copytree(whole, data)
    as_postgres(data)
    os.chmod(data, 0o777)


def a_file(data, whole):
    data.write_text("not a directory")


def garbage_version(data, whole):
    unknown_files(data, whole)
    (data / "PG_VERSION").write_text("\0\xff not a number")
    as_postgres(data)


def no_control_file(data, whole):
    shutil.copytree(whole, data)
    as_postgres(data)
    os.chmod(data, 0o700)
    (data / "global" / "pg_control").unlink()


def dangling_link(data, whole):
    os.symlink("/nonexistent/elsewhere", data)


REFUSED = [
    other_version,
    unknown_files,
    lost_and_found,
    wrong_owner,
    wrong_mode,
    a_file,
    garbage_version,
    no_control_file,
    dangling_link,
]


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_is_refused_untouched(container, cluster, whole, spoil):
    spoil(cluster.data, whole)
    before = tree_hash(cluster.parent)
    one = container(cluster.config()).start()
    assert one.wait_exit() == 73, one.output
    assert tree_hash(cluster.parent) == before
    assert str(cluster.data) in one.output
    assert one.marker("failed")["exit_code"] == 73
    assert one.marker("database.ready") is None


def test_a_directory_in_which_a_server_runs_is_refused_and_that_server_goes_on(container, cluster):
    first = container(cluster.config(), namespace=False, name="first").start().wait_ready()
    second = container({**cluster.config()}, namespace=False, name="second").start()
    assert second.wait_exit() == 73, second.output
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert alive(first.unit("postgres")["pid"])
    assert first.stop() == 0, first.output


def test_a_directory_in_which_a_server_of_another_container_runs_is_refused(container, cluster):
    """Its process is not even visible from here, its lock on the shared memory is."""
    first = container(cluster.config(), name="first").start().wait_ready()
    second = container(cluster.config(), name="second").start()
    assert second.wait_exit() not in (0, None), second.output
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert first.stop() == 0, first.output


def crash(container, cluster):
    """A container that was killed with its server at work."""
    one = container(cluster.config()).start().wait_ready()
    one.kill()
    assert (cluster.data / "postmaster.pid").exists()


def check_boots(container, cluster):
    one = container(cluster.config()).start().wait_ready()
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert one.stop() == 0, one.output


def test_a_stale_postmaster_pid_is_no_obstacle(container, cluster):
    crash(container, cluster)
    check_boots(container, cluster)


@pytest.mark.parametrize("pid", [1, 2, 4, 7])
def test_a_stale_postmaster_pid_that_names_a_living_stranger_is_no_obstacle(container, cluster, pid):
    """In a container the numbers repeat: the old server's is soon somebody else's."""
    crash(container, cluster)
    lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    lines[0] = str(pid)
    (cluster.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    check_boots(container, cluster)


@pytest.mark.parametrize("content", ["", "garbage\n", "99999999999999\n", "-5\n"])
def test_a_damaged_postmaster_pid_is_no_obstacle_or_a_clear_refusal(container, cluster, content):
    crash(container, cluster)
    (cluster.data / "postmaster.pid").write_text(content)
    one = container(cluster.config()).start()
    wait_until(
        lambda: one.marker("ready") not in (None, one.stale) or one.process.poll() is not None,
        "the boot to end one way or the other",
    )
    if one.process.poll() is None:
        assert one.wait_ready().stop() == 0
    else:
        assert one.process.returncode == 73 and "postmaster.pid" in one.output, one.output


def test_a_foreign_whole_cluster_is_adopted(container, cluster, whole):
    """Made by initdb or the official image: the superuser's password is not known, the operating system's user is."""
    shutil.copytree(whole, cluster.data)
    as_postgres(cluster.data)
    os.chmod(cluster.data, 0o700)
    one = container(cluster.config()).start().wait_ready()
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert one.stop() == 0, one.output
