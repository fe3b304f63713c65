"""The image that holds the static program and nothing else."""
import re

import pytest

from podman import podman

IMAGE = "localhost/slipway:minimal"
SELF = "/usr/bin/slipway"


def test_holds_one_file(tmp_path):
    name = podman("create", IMAGE, SELF).stdout.strip()
    try:
        podman("export", "--output", tmp_path / "image.tar", name)
    finally:
        podman("rm", name)
    import tarfile

    with tarfile.open(tmp_path / "image.tar") as tar:
        files = [entry.name for entry in tar if entry.isfile() and not re.match(r"(proc|dev|sys|run|etc)/", entry.name)]
    assert files == ["usr/bin/slipway"]


@pytest.mark.parametrize("options", [
    (),
    ("--user", "4321:4321"),
    ("--read-only",),
    ("--cap-drop", "all"),
    ("--read-only", "--user", "4321:4321", "--cap-drop", "all", "--network", "none", "--memory", "64m"),
], ids=" ".join)
def test_runs_a_command_and_ends_with_its_code(options):
    done = podman("run", "--rm", *options, IMAGE, SELF, "--version", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    done = podman("run", "--rm", *options, IMAGE, SELF, "check", "--config", "/missing.yaml", check=False)
    assert done.returncode == 78, done.stdout + done.stderr


def test_an_unknown_command_is_said_and_is_not_success():
    done = podman("run", "--rm", IMAGE, "/not-there", check=False)
    assert done.returncode not in (0, 137)
    assert "/not-there" in done.stdout + done.stderr


def test_stops_at_once_when_asked(container):
    one = container(IMAGE, command=(SELF, "wait", "--for", "stopped", "--timeout", "1h")).wait_ready()
    assert one.stop() != 137, one.logs()
