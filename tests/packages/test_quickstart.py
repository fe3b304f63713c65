"""scripts/quickstart.sh with the programs of this build: it boots, serves, shows its status, and leaves on Ctrl-C."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["SLIPWAY_BUILD"]) / "bin"
LIMIT = 180


@pytest.fixture
def place():
    """A short path: a socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture
def quickstart(place):
    """Starts the script as a foreground process group of its own, as a terminal does."""
    started = []

    def start(*arguments):
        log = open(place / "output.log", "wb")
        environment = {**os.environ, "TMPDIR": str(place)}
        script = subprocess.Popen([ROOT / "scripts/quickstart.sh", "--bin", BIN, *arguments], stdout=log,
                                  stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        started.append(script)
        return script, place / "output.log"

    yield start
    for script in started:
        if script.poll() is None:
            os.killpg(script.pid, signal.SIGKILL)
            script.wait()


def ready_url(script, log):
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if match := re.search(r"^ready: (http://\S+)", text, re.MULTILINE):
            return match.group(1)
        assert script.poll() is None, f"ended with {script.returncode}:\n{text}"
        time.sleep(0.05)
    raise AssertionError(f"not ready in {LIMIT} s:\n{log.read_text(errors='replace')}")


@pytest.mark.parametrize("arguments, vendor", [((), "sqlite"), (("--postgres",), "postgresql")])
def test_boots_serves_and_stops(quickstart, place, arguments, vendor):
    script, log = quickstart(*arguments)
    url = ready_url(script, log)
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read().decode() == f"visit number 2, stored in {vendor}\n"
    text = log.read_text(errors="replace")
    assert re.search(r"^web .*ready", text, re.MULTILINE), text
    os.killpg(script.pid, signal.SIGINT)
    assert script.wait(90) == 0, log.read_text(errors="replace")
    assert not list(place.glob("slipway-quickstart.*")), "the temporary directory is gone"


def test_usage_error_is_64():
    done = subprocess.run([ROOT / "scripts/quickstart.sh", "--nonsense"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 64
    assert "usage:" in done.stderr
