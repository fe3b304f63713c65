"""The programs as files: PID 1 is static and free of what talks to databases and networks."""
import json
import os
import shutil

import pytest

from project import BIN, ROOT, SLIPWAY, run

FOREIGN = ["PQconnect", "PQexec", "SSL_CTX_new", "SSL_connect", "EVP_DigestInit", "sqlite3_open", "sqlite3_exec"]


def test_slipway_is_static():
    assert "not a dynamic executable" in run("ldd", SLIPWAY).stderr
    assert "INTERP" not in run("readelf", "--program-headers", SLIPWAY).stdout


def test_slipway_holds_nothing_of_libpq_openssl_or_sqlite():
    symbols = run("nm", "--demangle", SLIPWAY).stdout
    assert "slipway::" in symbols, "the build must not be stripped for this test"
    assert [name for name in FOREIGN if name in symbols] == []
    text = SLIPWAY.read_bytes()
    assert [mark for mark in (b"SQLite format 3", b"OpenSSL 3") if mark in text] == []


def test_slipway_calls_no_name_service():
    # A name look-up would block PID 1, and glibc would load shared objects into a static program.
    symbols = {line.split()[-1] for line in run("nm", SLIPWAY).stdout.splitlines() if line.strip()}
    assert symbols & {"getaddrinfo", "gethostbyname", "getpwnam", "getpwuid", "getgrnam", "getgrgid"} == set()


def test_slipway_db_links_libpq_and_sqlite_dynamically():
    libraries = run("ldd", BIN / "slipway-db").stdout
    assert "libpq.so" in libraries and "libsqlite3.so" in libraries


@pytest.fixture
def empty_root(tmp_path):
    shutil.copy(SLIPWAY, tmp_path / "slipway")
    return tmp_path


def in_root(root, *words):
    """Runs the program with `root` as its whole file system; neither /proc nor /dev nor /tmp exists there."""
    return run("unshare", "--root", root, "/slipway", *words, env={})


def test_slipway_answers_in_an_empty_root(empty_root):
    done = in_root(empty_root, "--version")
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_slipway_checks_a_configuration_in_an_empty_root(empty_root):
    (empty_root / "c.json").write_text(json.dumps({"workers": {"web": {"command": ["/web"]}}}))
    done = in_root(empty_root, "check", "--config", "/c.json")
    assert done.returncode == 0, done.stderr
    (empty_root / "c.json").write_text(json.dumps({"workerz": {}}))
    done = in_root(empty_root, "check", "--config", "/c.json")
    assert done.returncode == 78
    assert "workers" in done.stderr + done.stdout


def test_slipway_runs_a_static_command_in_an_empty_root_and_passes_its_exit_code(empty_root):
    # The program itself is the only static program at hand: `check` of a missing file ends with a documented code.
    done = in_root(empty_root, "run", "--", "/slipway", "check", "--config", "/missing.yaml")
    assert done.returncode == 78, done.stdout + done.stderr
    assert os.listdir(empty_root), "the root is still there"
    assert not (empty_root / "lib").exists() and ROOT.exists()
