"""Readiness and health that a worker shows without a protocol: a line of its output, a fresh file."""
import os
import signal
import time

from harness import wait_until
from programs import Gate, sh


def test_a_line_of_output_makes_ready(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    # The line comes in two pieces, the second one on standard error.
    script = f"echo listening soon; printf listen; read x < {gate.path}; echo 'ing on :8000' >&2; sleep infinity"
    command = sh(script)
    worker = {"command": command, "ready": {"log_line": "^listening on :[0-9]+$"}}
    one = container({"workers": {"web": worker}}).start().wait_socket()
    one.wait_state("web", "starting")
    wait_until(lambda: "listening soon" in one.output, lambda: one.output)
    assert one.state("web") == "starting"
    assert one.unit("web")["ready_by"] == "log_line ^listening on :[0-9]+$"
    gate.open()
    one.wait_ready()
    assert one.stop() == 0


def test_a_raw_worker_whose_lines_are_awaited_is_read_for_them(container):
    worker = {
        "command": sh(r"printf 'up\001\n'; sleep infinity"),
        "logging": {"format": "raw"},
        "ready": {"log_line": "^up"},
    }
    one = container({"workers": {"web": worker}}).start().wait_ready()
    wait_until(lambda: "up\x01" in one.output.splitlines(), lambda: one.output)
    assert one.stop() == 0


def test_each_start_needs_a_line_of_its_own(container, tmp_path):
    mark = tmp_path / "mark"
    command = sh(f"[ -e {mark} ] || echo up; : > {mark}; sleep infinity")
    worker = {"command": command, "ready": {"log_line": "^up$"}, "start_timeout": "1s", "restart_delay": "10ms"}
    one = container({"logging": {"format": "json"}, "workers": {"web": worker}}).start().wait_ready()
    os.kill(one.unit_pid("web"), signal.SIGKILL)
    wait_until(lambda: [e for e in one.events("unit.stopping", "web")], lambda: one.output)
    assert "not ready within" in one.events("unit.stopping", "web")[0]["msg"]
    assert len(one.events("unit.ready", "web")) == 1


def test_hostile_output_delays_nobody(container):
    hostile = sh("while :; do head -c 200000 /dev/zero | tr '\\0' a; echo; done")
    workers = {
        "loud": {"command": hostile, "ready": {"log_line": "(a|aa)+(a+)+$b"}, "start_timeout": "60s"},
        "web": {"command": sh("echo up; sleep infinity"), "ready": {"log_line": "up"}},
    }
    one = container({"workers": workers}).start().wait_socket()
    one.wait_state("web", "ready")
    began = time.monotonic()
    assert one.state("loud") == "starting"
    assert time.monotonic() - began < 5
    assert one.stop() == 0


def checked(tmp_path, **keys):
    beat = tmp_path / "beat"
    beat.touch()
    check = {"file": {"path": str(beat), "max_age": "1s"}, "interval": "100ms", "retries": 2, **keys}
    return beat, {"command": ["sleep", "infinity"], "healthcheck": check, "restart_delay": "10ms"}


def keep_fresh(beat, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.utime(beat)
        time.sleep(0.05)


def test_a_file_that_grows_old_makes_unhealthy_and_restarts(container, tmp_path):
    beat, worker = checked(tmp_path)
    one = container({"workers": {"web": worker}}).start().wait_ready()
    keep_fresh(beat, 2)
    assert one.unit("web")["restarts"] == 0
    wait_until(lambda: one.unit("web")["restarts"] > 0, lambda: one.output)
    assert "last written" in one.output
    keep_fresh(beat, 1)
    one.wait_state("web", "ready")
    assert one.stop() == 0


def test_ignore_leaves_it_running_and_lets_it_recover(container, tmp_path):
    beat, worker = checked(tmp_path, on_failure="ignore")
    one = container({"workers": {"web": worker}}).start().wait_ready()
    pid = one.unit("web")["pid"]
    one.wait_state("web", "unhealthy")
    keep_fresh(beat, 0.5)
    one.wait_state("web", "ready")
    assert one.unit("web")["pid"] == pid
    assert one.stop() == 0


def test_shutdown_ends_the_container_with_a_failure(container, tmp_path):
    beat, worker = checked(tmp_path, on_failure="shutdown")
    one = container({"workers": {"web": worker, "other": {"command": ["sleep", "infinity"]}}}).start()
    assert one.wait_exit() == 80
    assert one.marker("failed")["unit"] == "web" and "unhealthy" in one.marker("failed")["reason"]


def test_file_readiness_wants_a_fresh_file(container, tmp_path):
    flag = tmp_path / "flag"
    flag.touch()
    os.utime(flag, (time.time() - 3600, time.time() - 3600))
    worker = {"command": ["sleep", "infinity"], "ready": {"file": {"path": str(flag), "max_age": "30s"}}}
    one = container({"workers": {"web": worker}}).start().wait_socket()
    wait_until(lambda: "last written" in one.unit("web")["reason"], lambda: one.unit("web"))
    os.utime(flag)
    one.wait_ready()
    assert one.stop() == 0
