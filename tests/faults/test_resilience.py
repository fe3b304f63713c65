"""PID 1 without what it needs: processes, descriptors, disk, memory, time, and clients who behave.

It degrades, says so, keeps what runs, and is right again afterwards.
"""
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from harness import wait_until
from processes import alive, descriptors_of, status_of
from programs import IDLE, sh

JSON = {"logging": {"format": "json"}}
OTHER = 54321  # a user without processes of its own


AS_OTHER = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]


def limit(pid, before=(), **limits):
    words = [f"--{name}={value}" for name, value in limits.items()]
    subprocess.run([*before, "prlimit", "--pid", str(pid), *words], check=True)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def restarting(command, **keys):
    return {"command": command, "restart": "always", "restart_delay": "100ms", "restart_max_delay": "200ms", **keys}


def test_no_process_may_be_made(container, tmp_path):
    config = {**JSON, "workers": {"a": restarting(IDLE), "b": restarting(IDLE)}}
    one = container(config, inner=AS_OTHER)
    for folder in (one.directory, one.run_dir):
        os.chown(folder, OTHER, OTHER)
    one.start().wait_ready()
    b = one.unit_pid("b")
    limit(one.pid, AS_OTHER, nproc="2:")
    os.kill(one.unit_pid("a"), signal.SIGKILL)
    # Two processes are there without it: it cannot come back.
    wait_until(lambda: any("fork" in e["msg"] for e in one.events("unit.backoff", "a")), lambda: one.output)
    assert one.unit_pid("b") == b and alive(b)
    limit(one.pid, AS_OTHER, nproc="100:")
    one.wait_state("a", "running")
    assert one.stop() == 0


def test_no_descriptor_is_left(container):
    one = container({**JSON, "workers": {"a": restarting(IDLE), "b": restarting(IDLE)}}).start().wait_ready()
    a, b = one.unit_pid("a"), one.unit_pid("b")
    limit(one.pid, nofile=f"{max(descriptors_of(one.pid)) + 1}:1024")
    with contextlib.ExitStack() as clients:
        for _ in range(10):  # whatever is free below the limit
            client = clients.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(one.socket))
        os.kill(a, signal.SIGKILL)
        wait_until(lambda: one.events("unit.backoff", "a"), lambda: one.output)
        before = cpu_seconds(one.pid)
        time.sleep(1)
        assert cpu_seconds(one.pid) - before < 0.5, "it spins"
        assert alive(b) and not one.events("unit.exited", "b")
        limit(one.pid, nofile="1024:1024")
    one.wait_socket()
    one.wait_state("a", "running")
    assert one.unit_pid("b") == b
    assert one.stop() == 0


def test_the_disk_is_full(container, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    # In the mount namespace that comes with the PID namespace.
    fill = f"mount -t tmpfs -o size=16k tmpfs {disk}; head -c 100k /dev/zero 2>/dev/null > {disk}/fill; exec \"$@\""
    config = {**JSON, "workers": {"a": {"command": IDLE}}, "markers": {"directory": str(disk / "markers")}}
    config["state_dir"] = str(disk / "state")
    one = container(config, inner=["sh", "-c", fill, "sh"]).start().wait_socket()
    one.wait_state("a", "running")
    wait_until(lambda: one.events("marker.failed"), lambda: one.output)
    assert "No space left" in one.events("marker.failed")[0]["msg"]
    assert one.cli("health").returncode == 0, "the socket tells what the marker cannot"
    assert one.stop() == 0


def test_the_address_space_is_used_up(container):
    one = container({**JSON, "workers": {"a": restarting(IDLE), "b": restarting(IDLE)}}).start().wait_ready()
    a, b = one.unit_pid("a"), one.unit_pid("b")
    size = int(status_of(one.pid)["VmSize"].split()[0]) * 1024
    limit(one.pid, **{"as": f"{size}:unlimited"})
    os.kill(a, signal.SIGKILL)
    wait_until(lambda: not alive(a), "the worker to end")
    for _ in range(50):
        one.cli("status", "--json", check=False)
    assert one.process.poll() is None and alive(b)
    limit(one.pid, **{"as": "unlimited:unlimited"})
    one.wait_socket()
    assert one.wait_state("a", "running")["restarts"] == 1
    assert one.unit_pid("b") == b
    assert one.stop() == 0


def test_pid_1_stands_still_for_longer_than_its_limits(container):
    workers = {
        "slow": {"command": ["sleep", "infinity"], "ready": {"notify_fd": 3}, "start_timeout": "2s", "critical": False},
        "ends": restarting(IDLE, critical=False),
    }
    one = container({**JSON, "workers": workers}).start().wait_socket()
    one.wait_state("slow", "starting")
    ends = one.unit_pid("ends")
    os.kill(one.pid, signal.SIGSTOP)
    os.kill(ends, signal.SIGKILL)
    time.sleep(4)
    os.kill(one.pid, signal.SIGCONT)
    wait_until(lambda: one.events("init.paused"), lambda: one.output)
    wait_until(lambda: one.unit("ends")["restarts"] == 1, lambda: one.output)
    stopped = wait_until(lambda: one.events("unit.stopping", "slow"), lambda: one.output)
    assert "not ready within" in stopped[0]["msg"], "the limit still applies, later"
    assert one.stop() == 0


LOUD = "while :; do head -c 60000 /dev/zero | tr '\\\\0' x; echo; done"


def test_a_client_that_never_reads_delays_nobody(container, tmp_path):
    quiet = {"command": sh(LOUD)}
    one = container({"workers": {"loud": quiet}}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    one.start().wait_socket()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(one.socket))
        client.sendall(b'{"do":"logs","follow":true}\n')
        for _ in range(20):
            began = time.monotonic()
            assert one.state("loud") == "running"
            assert time.monotonic() - began < 5
        memory = int(status_of(one.pid)["VmRSS"].split()[0])
        assert memory < 100_000, f"{memory} KiB"
    assert one.stop() == 0


def test_a_thousand_clients_and_half_requests_are_refused_and_forgotten(container):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    one = container({"workers": {"a": {"command": IDLE}}}).start().wait_ready()
    before = len(descriptors_of(one.pid))
    requests = [b"", b'{"do":"sta', b"\xff\xfe\x00", b"[" * 5000, b'{"do":"wait","for":"stopped"}\n']
    with contextlib.ExitStack() as clients:
        for number in range(1000):
            client = clients.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                client.connect(str(one.socket))
                client.send(requests[number % len(requests)])
        refused = one.cli("status", "--json", check=False)
        assert refused.returncode == 0 or "clients are connected already" in refused.stderr, refused
        assert len(descriptors_of(one.pid)) < before + 100
    wait_until(lambda: one.cli("status", "--json", check=False).returncode == 0, "the socket to answer again")
    assert one.state("a") == "running"
    wait_until(lambda: len(descriptors_of(one.pid)) <= before, lambda: descriptors_of(one.pid))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert one.stop() == 0


def test_closed_standard_streams_harm_nobody(container, tmp_path):
    out = tmp_path / "fds"
    worker = {"command": sh(f"ls -l /proc/self/fd > {out}.new; mv {out}.new {out}; sleep infinity")}
    one = container({"workers": {"a": worker}}, inner=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]).start().wait_ready()
    wait_until(out.exists, "the worker's descriptors")
    assert "control.sock" not in out.read_text() and " 0 -> /dev/null" in out.read_text()
    assert {0, 1, 2} <= set(descriptors_of(one.pid))
    assert one.stop() == 0


@pytest.mark.parametrize("terminal", [False, True])
def test_a_refusal_that_nobody_reads_still_ends(container, terminal):
    if terminal:
        reader, writer = os.openpty()
    else:
        reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    one = container({"workers": {"a": {"comand": "run"}}}, stdout=writer, stderr=writer)
    with contextlib.suppress(AssertionError):  # it may be gone before its PID was seen
        one.start()
    assert one.process.wait(20) == 78
    assert json.loads((one.markers / "failed").read_text())["exit_code"] == 78
    os.close(reader)
    os.close(writer)
