"""The command line against a running container, and the socket under clients that are hostile or slow."""
import os
import signal
import socket
import stat
import subprocess

import pytest

from harness import SLIPWAY, wait_until
from processes import alive, descriptors_of
from programs import IDLE, Gate, Trace, sh


@pytest.fixture
def running(container, tmp_path):
    return (
        container(
            {
                "name": "shop",
                "workers": {
                    "web": {"command": sh("echo web-says-hello; sleep infinity"), "replicas": 2},
                    "talker": {
                        "command": sh("for i in 1 2 3 4 5; do echo line-$i; done; echo 'bytes: \xff'; sleep infinity")
                    },
                    "job": {"type": "oneshot", "command": ["true"]},
                },
            }
        )
        .start()
        .wait_ready()
    )


def test_status_lists_every_unit_with_its_facts(running):
    status = running.status()
    assert status["container"]["name"] == "shop"
    assert status["container"]["state"] == "ready" and status["container"]["ready"] is True
    assert sorted(unit["name"] for unit in status["units"]) == ["job", "talker", "web[0]", "web[1]"]
    web = running.unit("web[0]")
    assert web["state"] == "running" and web["kind"] == "service" and web["restarts"] == 0
    assert alive(running.outside(web["pid"]))
    assert running.unit("job")["last_exit"]["code"] == 0
    text = running.cli("status").stdout
    for name in ["job", "talker", "web[0]", "web[1]"]:
        assert name in text
    assert "\x1b" not in text, "no colour into a pipe"
    assert running.cli("ps").stdout.split("\n")[0] == text.split("\n")[0]


def test_stop_start_and_restart_one_unit(running):
    first = running.unit("web[0]")["pid"]
    running.cli("restart", "web[0]")
    second = running.unit("web[0]")
    assert second["state"] == "running" and second["pid"] not in (0, first)
    running.cli("stop", "talker")
    assert running.state("talker") == "inactive"
    assert running.unit("talker")["pid"] == 0
    running.cli("stop", "talker")
    running.cli("start", "talker")
    assert running.state("talker") == "running"
    running.cli("start", "talker")
    assert running.stop() == 0, running.output


def test_a_workers_name_means_all_of_its_replicas(running):
    before = {running.unit(name)["pid"] for name in ("web[0]", "web[1]")}
    running.cli("restart", "web")
    after = {running.unit(name)["pid"] for name in ("web[0]", "web[1]")}
    assert not before & after and 0 not in after


def test_signal_reaches_the_worker(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh(
                        f"trap 'echo usr1 >> {trace.path}' USR1; echo up >> {trace.path}; while :; do sleep infinity & wait; done"
                    ),
                    "kill_mode": "process",
                }
            }
        }
    ).start()
    trace.wait_for("up")
    one.wait_socket().cli("signal", "USR1", "web")
    trace.wait_for("usr1", 10)


@pytest.mark.parametrize(
    "words", [["stop", "no-such-unit"], ["restart", "wbe"], ["logs", "no-such-unit"], ["signal", "NOSUCH", "web"]]
)
def test_mistakes_are_told_and_change_nothing(running, words):
    pids = [unit["pid"] for unit in running.status()["units"]]
    done = running.cli(*words, check=False)
    assert done.returncode not in (0, None)
    assert done.stderr.strip()
    assert [unit["pid"] for unit in running.status()["units"]] == pids


def test_logs_show_recent_lines_of_chosen_units(running):
    wait_until(lambda: "line-5" in running.cli("logs").stdout, "the talker's lines")
    wait_until(lambda: "bytes" in running.cli("logs", "talker").stdout, "the talker's last line")
    last = running.cli("logs", "-n", "2", "talker").stdout.splitlines()
    assert len(last) == 2 and "line-5" in last[0]
    assert "web-says-hello" not in running.cli("logs", "talker").stdout
    assert running.cli("logs", "web").stdout.count("web-says-hello") == 2


def test_following_logs_sees_new_lines_and_ends_with_the_container(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    one = (
        container(
            {"workers": {"web": {"command": sh(f"echo before; read x < {gate.path}; echo after; sleep infinity")}}}
        )
        .start()
        .wait_ready()
    )
    follower = subprocess.Popen(
        [SLIPWAY, "logs", "--socket", one.socket, "-f", "-n", "10", "web"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert "before" in follower.stdout.readline()
        gate.open()
        assert "after" in follower.stdout.readline()
        assert one.stop() == 0
        follower.wait(10)
    finally:
        follower.kill()
        follower.wait()


def test_wait_for_ready_and_migrated_and_its_timeout(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    one = (
        container(
            {
                "database": {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "app.db")}},
                "migrations": {"command": sh(f"read x < {gate.path}")},
                "workers": {"web": {"command": IDLE}},
            }
        )
        .start()
        .wait_socket()
    )
    for goal in ("ready", "migrated"):
        assert one.cli("wait", "--for", goal, "--timeout", "200ms", check=False).returncode not in (0, None)
    assert one.cli("health", check=False).returncode == 1
    waiting = subprocess.Popen([SLIPWAY, "wait", "--socket", one.socket, "--for", "migrated", "--timeout", "60s"])
    gate.open()
    assert waiting.wait(30) == 0
    one.cli("wait", "--for", "ready", "--timeout", "30s")
    one.cli("health")
    ended = subprocess.Popen([SLIPWAY, "wait", "--socket", one.socket, "--for", "stopped", "--timeout", "60s"])
    assert one.stop() == 0
    assert ended.wait(10) == 0


def test_wait_waits_for_a_container_that_is_still_to_come(container):
    one = container({"workers": {"web": {"command": IDLE}}})
    waiting = subprocess.Popen([SLIPWAY, "wait", "--socket", one.socket, "--for", "ready", "--timeout", "60s"])
    one.start()
    assert waiting.wait(30) == 0
    assert one.stop() == 0


def test_health_without_a_container_is_1(tmp_path):
    done = subprocess.run([SLIPWAY, "health", "--socket", tmp_path / "absent.sock"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "absent.sock" in done.stderr + done.stdout


def test_the_socket_is_ours_alone(running):
    assert stat.S_IMODE(os.stat(running.socket).st_mode) == 0o600
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", SLIPWAY, "status", "--socket", running.socket],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "ermission" in done.stderr


def test_another_user_is_refused_even_where_the_files_mode_lets_it_in(running):
    os.chmod(running.socket, 0o666)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", SLIPWAY, "stop", "--socket", running.socket, "talker"],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and done.stderr.strip()
    assert running.state("talker") == "running"


def test_the_socket_is_removed_at_the_end_and_a_stale_one_is_replaced(container):
    config = {"workers": {"web": {"command": IDLE}}}
    first = container(config).start().wait_ready()
    first.kill()
    assert first.socket.exists()
    second = container(config).start().wait_ready()
    second.cli("status")
    assert second.stop() == 0
    assert not second.socket.exists()


# --- clients that misbehave


def connect(one):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(one.socket))
    return client


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"",
        b"\n",
        b"garbage\n",
        b"{}\n",
        b"[1]\n",
        b'{"do":"status"',
        b'{"do":"stop","units":[5]}\n',
        b"\x00\xff\n",
        b"{" * 100000,
        b'{"v":99,"do":"status"}\n',
    ],
    ids=range(10),
)
def test_garbage_costs_the_client_its_own_connection_only(running, bytes_sent):
    with connect(running) as client:
        with_error = False
        try:
            client.sendall(bytes_sent)
        except OSError:
            with_error = True
        running.status()
        if bytes_sent.endswith(b"\n") and not with_error:
            client.settimeout(10)
            assert b'"ok":false' in client.recv(65536)
    assert running.stop(20) == 0, running.output


def test_clients_that_never_read_and_never_ask_hold_up_nothing(container):
    one = (
        container(
            {
                "workers": {
                    "noisy": {"command": sh("while :; do echo a line of some length to fill buffers with; done")},
                    "web": {"command": IDLE},
                }
            }
        )
        .start()
        .wait_ready()
    )
    lazy = [connect(one) for _ in range(20)]
    for client in lazy[:10]:
        client.sendall(b'{"do":"logs","lines":10,"follow":true}\n' + b'{"do":"status"}\n' * 500)
    for _ in range(5):
        one.cli("restart", "web", timeout=20)
        assert one.cli("status", "--json", timeout=20).returncode == 0
    assert one.stop(20) == 0, one.output
    for client in lazy:
        client.close()


def test_a_crowd_of_clients_leaves_no_descriptor_behind(running):
    before = len(descriptors_of(running.pid))
    crowd = [connect(running) for _ in range(60)]
    for client in crowd:
        client.close()
    wait_until(lambda: len(descriptors_of(running.pid)) <= before, "the crowd's descriptors to be closed", 10)
    for _ in range(20):
        running.status()
    assert len(descriptors_of(running.pid)) <= before


def test_more_clients_than_allowed_do_not_lock_the_operator_out_for_ever(running):
    crowd = []
    for _ in range(100):
        try:
            crowd.append(connect(running))
        except OSError:
            break
    for client in crowd:
        client.close()
    wait_until(lambda: running.cli("status", "--json", check=False).returncode == 0, "status to answer again", 10)
    running.signal(signal.SIGTERM)
    assert running.wait_exit(20) == 0
