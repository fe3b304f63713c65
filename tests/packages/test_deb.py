"""The .deb and the installation, unpacked into a directory and used from there."""
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["SLIPWAY_BUILD"])


def run(*argv, **options):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=300, **options)


@pytest.fixture(scope="module")
def deb(tmp_path_factory):
    directory = tmp_path_factory.mktemp("deb")
    done = run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(directory.glob("*.deb"))


@pytest.fixture(scope="module")
def unpacked(deb, tmp_path_factory):
    directory = tmp_path_factory.mktemp("root")
    assert run("dpkg-deb", "-x", deb, directory).returncode == 0
    return directory


def test_package_says_what_it_needs(deb):
    fields = run("dpkg-deb", "-f", deb, "Depends", "Recommends", "Package").stdout
    assert "Package: slipway" in fields
    depends = next(line for line in fields.splitlines() if line.startswith("Depends:"))
    assert "libpq5" in depends and "libsqlite3-0" in depends
    assert "libyaml" not in depends and "libspdlog" not in depends, "slipway itself is static"


def test_package_could_be_installed_here(deb):
    done = run("dpkg", "--dry-run", "--install", deb)
    assert done.returncode == 0, done.stderr


def test_package_holds_programs_manual_completion_and_samples(unpacked):
    for name in ["bin/slipway", "bin/slipway-db", "bin/slipway-web", "share/man/man1/slipway.1",
                 "share/bash-completion/completions/slipway", "share/doc/slipway/examples/quickstart/slipway.yaml",
                 "share/doc/slipway/reference.md"]:
        assert (unpacked / "usr" / name).exists(), name
    assert not list(unpacked.rglob("__pycache__"))


def test_packaged_programs_run(unpacked):
    done = run(unpacked / "usr/bin/slipway", "--version")
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
    sample = unpacked / "usr/share/doc/slipway/examples/quickstart/slipway.yaml"
    done = run(unpacked / "usr/bin/slipway", "check", "--config", sample)
    assert done.returncode == 0, done.stdout + done.stderr
    # `slipway db` finds the slipway-db beside it.
    done = run(unpacked / "usr/bin/slipway", "db", "--help")
    assert done.returncode == 0 and "migrate" in done.stdout, done.stdout + done.stderr


def test_packaged_init_passes_an_exit_code_on(unpacked):
    done = run(unpacked / "usr/bin/slipway", "run", "--", "sh", "-c", "exit 7")
    assert done.returncode == 7, done.stdout + done.stderr


def test_completion_is_understood_by_bash(unpacked):
    file = unpacked / "usr/share/bash-completion/completions/slipway"
    script = f'. {file}; COMP_WORDS=(slipway st); COMP_CWORD=1; _slipway; echo "${{COMPREPLY[@]}}"'
    assert run("bash", "-c", script).stdout.split() == ["status", "start", "stop"]


def test_manual_is_understood_by_man(unpacked):
    for page in (unpacked / "usr/share/man/man1").glob("*"):
        done = run("man", "--warnings", "-l", page, env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and "SYNOPSIS" in done.stdout
        assert done.stderr == ""
