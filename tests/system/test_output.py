"""What the container prints: nothing that is stuck delays anything else, lines keep their bytes, secrets stay secret."""
import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
from urllib.parse import quote, quote_plus

import pytest

from harness import SLIPWAY, wait_until
from processes import environment_of, every_pid
from programs import IDLE, Gate, sh

SECRET = "s3cret@:/%# \"'ü"


def full_pipe():
    """A pipe of one page: `reader` is not read until the test wants to."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


@pytest.fixture
def stuck(container):
    """A container whose standard output nobody reads."""
    descriptors = []

    def make(config, **options):
        reader, writer = full_pipe()
        descriptors.extend([reader, writer])
        one = container(config, stdout=writer, stderr=writer, **options).start()
        one.reader = reader
        return one

    yield make
    for descriptor in descriptors:
        os.close(descriptor)


NOISY = sh("while :; do echo a noisy worker fills every buffer between it and the reader; done")


def test_a_stuck_reader_of_standard_output_delays_nothing_else(stuck, tmp_path):
    gate = Gate(tmp_path / "gate")
    flood = Gate(tmp_path / "flood")
    one = stuck(
        {
            "workers": {
                "noisy": {"command": NOISY},
                "flood": {
                    "type": "oneshot",
                    "command": sh(f"read x < {flood.path}; head -c 3000000 /dev/zero | tr '\\0' x; echo; : > /dev/null"),
                    "critical": False,
                },
                "gated": {"type": "oneshot", "command": sh(f"read x < {gate.path}")},
                "late": {"command": IDLE, "depends_on": {"gated": {"condition": "completed"}}},
            }
        }
    ).wait_socket()
    wait_until(lambda: one.cli("logs", "-n", "1", "noisy").stdout, "the noisy worker's lines")
    flood.open()
    gate.open()
    one.wait_state("late", "running")
    first = one.unit("late")["pid"]
    one.cli("restart", "late")
    assert one.unit("late")["pid"] != first
    assert one.stop(20) == 0


def test_a_worker_behind_a_stuck_reader_blocks_itself_and_goes_on_when_it_is_read(stuck):
    one = stuck({"workers": {"noisy": {"command": NOISY}}}).wait_ready()
    read = b""
    while len(read) < 5_000_000:
        read += os.read(one.reader, 1 << 16)
    lines = [line for line in read.split(b"\n")[:-1] if b"noisy" in line and b"| " in line]
    assert len(lines) > 10000
    assert {line.split(b"| ", 1)[1] for line in lines} == {
        b"a noisy worker fills every buffer between it and the reader"
    }
    assert one.stop(20) == 0


def test_memory_stays_bounded_behind_a_stuck_reader(stuck):
    one = stuck({"workers": {f"noisy{i}": {"command": NOISY} for i in range(4)}}).wait_socket()
    for _ in range(20):
        one.status()

    def resident():
        text = open(f"/proc/{one.pid}/status", encoding="ascii").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1])

    assert resident() < 64 * 1024
    assert one.stop(20) == 0


def test_a_reader_that_goes_away_ends_nothing(container):
    reader, writer = full_pipe()
    one = container(
        {"workers": {"noisy": {"command": NOISY}, "web": {"command": IDLE}}}, stdout=writer, stderr=writer
    ).start()
    os.close(writer)
    one.wait_ready()
    os.close(reader)
    one.cli("restart", "web")
    assert one.state("noisy") == "running"
    assert one.stop(20) == 0


def test_lines_keep_their_bytes_under_a_prefix(container):
    text = r"printf 'plain\n\033[31mred\033[0m\ttab \xff\xfe %% {} \\n\n\nunfinished'"
    one = container({"workers": {"job": {"type": "oneshot", "command": sh(text)}}}).start()
    assert one.wait_exit() == 0
    with open(one.log_path, "rb") as log:
        lines = [
            line.split(b"| ", 1)[1] if b"| " in line else b""
            for line in log.read().split(b"\n")
            if b"job" in line and b"|" in line
        ]
    assert b"plain" in lines
    assert b"\x1b[31mred\x1b[0m\ttab \xff\xfe % {} \\n" in lines
    assert b"unfinished" in lines


def test_a_line_without_end_passes_in_pieces(container):
    one = container(
        {"workers": {"job": {"type": "oneshot", "command": sh("head -c 1000000 /dev/zero | tr '\\0' x")}}}
    ).start()
    assert one.wait_exit() == 0
    assert one.output.count("x" * 60000) >= 15


def test_last_words_of_a_crashing_worker_are_not_lost(container):
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh("for i in $(seq 2000); do echo word-$i; done; kill -KILL $BASHPID"),
                    "restart": "no",
                }
            }
        }
    ).start()
    assert one.wait_exit() == 137
    assert all(f"word-{i}\n" in one.output for i in (1, 1000, 2000)), one.output[-500:]


def test_json_format_is_one_object_per_line_whatever_workers_print(container):
    text = r"printf '{\"a\": \"b\"}\nquote \" backslash \\\\ tab \t bell \a ff \xff\n\nend'; printf 'to stderr\n' >&2"
    one = container(
        {"logging": {"format": "json"}, "workers": {"job": {"type": "oneshot", "command": sh(text)}}}
    ).start()
    assert one.wait_exit() == 0
    records = one.log_records()
    for record in records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"]), record
        assert record["level"] in ("debug", "info", "warning", "error")
        assert isinstance(record["msg"], str)
    lines = [record for record in records if record.get("event") == "output"]
    assert '{"a": "b"}' in [record["msg"] for record in lines]
    assert any('quote " backslash' in record["msg"] for record in lines)
    assert ("to stderr", "stderr") in [(record["msg"], record["stream"]) for record in lines]
    assert one.events("unit.started", "job")[0]["pid"] > 0


def test_text_lines_have_time_level_and_unit(container):
    one = container({"workers": {"job": {"type": "oneshot", "command": ["true"]}}}).start()
    assert one.wait_exit() == 0
    for line in one.output.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S", line), line
    assert re.search(r"INFO +job .*started.*pid=\d+", one.output), one.output


def test_hostile_names_and_arguments_cannot_forge_a_line(container):
    one = container({"workers": {"w": {"command": ["/nonexistent/a\nFAKE 2026 line\x1b[2J"], "restart": "no"}}}).start()
    assert one.wait_exit() == 80
    assert not any(line.startswith("FAKE") for line in one.output.splitlines())
    assert "\x1b[2J" not in one.output


# --- secrets


def secret_config(tmp_path, port=1):
    (tmp_path / "password").write_text(SECRET)
    return {
        "logging": {"level": "debug"},
        "database": {
            "backend": "postgres",
            "postgres": {
                "host": "127.0.0.1",
                "port": port,
                "name": "n",
                "user": "u",
                "password_file": str(tmp_path / "password"),
                "wait": {"timeout": "1s"},
            },
            "export": {
                "APP_URL": {"form": "url"},
                "APP_DSN": {"form": "dsn"},
                "APP_PASSWORD": {"form": "password"},
                "APP_JDBC": {"form": "jdbc"},
            },
        },
        "migrations": {"command": ["true"]},
        "workers": {"web": {"command": IDLE}},
    }


def forms_of(secret):
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        json.dumps(secret)[1:-1],
        secret.replace("'", "''"),
        secret.replace("'", "\\'").replace('"', '\\"'),
    }


def assert_no_secret(text, what):
    for form in forms_of(SECRET):
        assert form not in text, f"{what} shows the secret as {form!r}"


def test_a_password_is_in_no_output_status_plan_argv_or_marker(container, module_server, tmp_path):
    module_server.create("u", "n", SECRET)
    one = container(secret_config(tmp_path, module_server.port)).start().wait_ready()
    for pid in every_pid():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            assert_no_secret(file.read().decode(errors="replace"), f"argv of {pid}")
    environment = environment_of(one.unit_pid("web"))
    assert environment["APP_PASSWORD"] == SECRET and environment["PGPASSWORD"] == SECRET
    assert_no_secret(one.cli("status", "--json").stdout + one.cli("status").stdout, "status")
    assert_no_secret(one.cli("logs", "-n", "1000").stdout, "logs")
    for path in one.markers.iterdir():
        assert_no_secret(path.read_text(), path.name)
    assert one.stop() == 0
    assert_no_secret(one.output, "the output")
    for argv in (["plan"], ["check"], ["plan", "--json"]):
        done = subprocess.run(
            [SLIPWAY, *argv, "--config", one.config_path], capture_output=True, text=True, cwd=tmp_path
        )
        assert_no_secret(done.stdout + done.stderr, " ".join(argv))


def test_a_password_is_in_no_message_of_a_failed_boot(container, tmp_path):
    one = container(secret_config(tmp_path)).start()
    assert one.wait_exit() == 69, one.output
    assert_no_secret(one.output, "the output")
    assert_no_secret((one.markers / "failed").read_text(), "the failed marker")


def test_a_terminal_gets_its_signals_through_when_output_is_stopped(stuck):
    """INT stops a container even while its output stands still."""
    one = stuck({"workers": {"noisy": {"command": NOISY}}}).wait_socket()
    wait_until(lambda: one.cli("logs", "-n", "1", "noisy").stdout, "the noisy worker's lines")
    one.signal(signal.SIGINT)
    assert one.wait_exit(20) == 0
