"""A worker starts when its dependencies' conditions hold, and never before."""
import json

import pytest

from harness import free_port, wait_until
from programs import IDLE, Gate, Trace, python, sh

JSON_LOG = {"format": "json"}


def depends(**conditions):
    return {name: {"condition": condition} for name, condition in conditions.items()}


def test_completed_waits_for_success(container, tmp_path):
    gate, trace = Gate(tmp_path / "gate"), Trace(tmp_path / "trace")
    one = (
        container(
            {
                "workers": {
                    "after": {
                        "command": sh(f"echo after >> {trace.path}; sleep infinity"),
                        "depends_on": depends(first="completed"),
                    },
                    "first": {"type": "oneshot", "command": sh(f"read x < {gate.path}; echo first >> {trace.path}")},
                }
            }
        )
        .start()
        .wait_socket()
    )
    assert one.wait_state("after", "waiting")["reason"].count("first") == 1
    assert one.marker("ready") is None
    gate.open()
    one.wait_ready()
    trace.wait_for("after")
    assert trace.words() == ["first", "after"]
    assert one.state("first") == "exited"
    assert one.stop() == 0


def test_a_failed_requirement_skips_its_dependents_and_a_not_required_one_does_not(container, tmp_path):
    one = (
        container(
            {
                "workers": {
                    "broken": {"type": "oneshot", "command": sh("exit 3"), "critical": False},
                    "needs": {"command": IDLE, "depends_on": depends(broken="completed"), "critical": False},
                    "needs-indirectly": {"command": IDLE, "depends_on": depends(needs="started"), "critical": False},
                    "likes": {"command": IDLE, "depends_on": {"broken": {"condition": "completed", "required": False}}},
                }
            }
        )
        .start()
        .wait_socket()
    )
    assert one.wait_state("needs", "skipped")["reason"]
    one.wait_state("needs-indirectly", "skipped")
    one.wait_state("likes", "running")
    assert one.unit("broken")["state"] == "failed"
    assert one.unit("broken")["last_exit"]["code"] == 3
    assert one.stop() == 0


def test_started_needs_a_process_and_healthy_needs_readiness(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    flag = tmp_path / "flag"
    one = (
        container(
            {
                "workers": {
                    "base": {
                        "command": sh(f"read x < {gate.path}; : > {flag}; sleep infinity"),
                        "ready": {"file": {"path": str(flag)}},
                    },
                    "early": {"command": IDLE, "depends_on": depends(base="started")},
                    "late": {"command": IDLE, "depends_on": depends(base="healthy")},
                }
            }
        )
        .start()
        .wait_socket()
    )
    one.wait_state("early", "running")
    assert one.state("base") == "starting"
    assert one.state("late") == "waiting"
    gate.open()
    one.wait_state("late", "running")
    assert one.state("base") == "ready"
    assert one.stop() == 0


def test_short_form_of_depends_on_and_disabled_workers(container):
    one = (
        container(
            {
                "workers": {
                    "a": {"command": IDLE},
                    "b": {"command": IDLE, "depends_on": ["a"]},
                    "off": {"command": ["/nonexistent"], "enabled": False},
                }
            }
        )
        .start()
        .wait_ready()
    )
    assert one.state("b") == "running"
    assert one.state("off") == "inactive"
    assert one.stop() == 0


PORT_WORKER = """
import socket, sys
open(sys.argv[2]).readline()
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
while True:
    client = server.accept()[0]
    client.recv(4096)
    client.sendall(("HTTP/1.1 " + sys.argv[3] + "\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n").encode())
    client.close()
"""
NOTIFY_FD = "read x < {gate}; echo >&3; sleep infinity"
SD_NOTIFY = """
import os, signal, socket, sys
open(sys.argv[1]).readline()
address = os.environ["NOTIFY_SOCKET"]
if address[0] == "@":
    address = "\\0" + address[1:]
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"STATUS=up\\nREADY=1\\n", address)
signal.pause()
"""


@pytest.mark.parametrize("way", ["tcp", "http", "exec", "notify_fd", "sd_notify", "file"])
def test_each_way_of_readiness_is_seen_and_awaited(container, tmp_path, way):
    gate, port, flag = Gate(tmp_path / "gate"), free_port(), tmp_path / "flag"
    command, ready = {
        "tcp": (python(PORT_WORKER, port, gate.path, "200 OK"), {"tcp": f"127.0.0.1:{port}"}),
        "http": (
            python(PORT_WORKER, port, gate.path, "204 No Content"),
            {"http": {"url": f"http://localhost:{port}/health?x=1"}},
        ),
        "exec": (sh(f"read x < {gate.path}; : > {flag}; sleep infinity"), {"exec": ["test", "-e", str(flag)]}),
        "notify_fd": (sh(NOTIFY_FD.format(gate=gate.path)), {"notify_fd": 3}),
        "sd_notify": (python(SD_NOTIFY, gate.path), {"sd_notify": True}),
        "file": (sh(f"read x < {gate.path}; : > {flag}; sleep infinity"), {"file": {"path": str(flag)}}),
    }[way]
    one = container({"workers": {"web": {"command": command, "ready": ready}}}).start().wait_socket()
    one.wait_state("web", "starting")
    assert one.cli("health", check=False).returncode == 1
    assert one.marker("ready") is None
    gate.open()
    one.wait_ready()
    assert one.state("web") == "ready"
    assert one.cli("health").returncode == 0
    assert one.stop() == 0, one.output


@pytest.mark.parametrize(
    "answer,accepted,ends", [("503 Busy", None, "starting"), ("503 Busy", [503], "ready"), ("302 Found", None, "ready")]
)
def test_http_readiness_looks_at_the_status_code(container, tmp_path, answer, accepted, ends):
    gate, port = Gate(tmp_path / "gate"), free_port()
    http = {"url": f"http://127.0.0.1:{port}/"}
    if accepted:
        http["status"] = accepted
    one = container(
        {"workers": {"web": {"command": python(PORT_WORKER, port, gate.path, answer), "ready": {"http": http}}}}
    )
    one.start().wait_socket()
    gate.open()
    if ends == "ready":
        one.wait_ready()
    else:
        wait_until(lambda: "503" in json.dumps(one.unit("web")), "status to tell what the probe saw", 20)
        assert one.state("web") == "starting"
        assert one.marker("ready") is None
    assert one.stop() == 0


def test_a_worker_that_is_never_ready_is_given_up_after_start_timeout(container):
    one = container(
        {
            "logging": JSON_LOG,
            "workers": {
                "web": {
                    "command": IDLE,
                    "ready": {"file": {"path": "/nonexistent"}},
                    "start_timeout": "300ms",
                    "restart": "no",
                }
            },
        }
    ).start()
    assert one.wait_exit() not in (0, None), one.output
    assert one.marker("failed")["unit"] == "web"
    assert one.marker("ready") is None


def test_a_stuck_readiness_probe_holds_up_nothing_else(container, tmp_path):
    """exec probes that never end are ended; a port that accepts and never answers is no answer."""
    one = (
        container(
            {
                "workers": {
                    "mute": {
                        "command": python(
                            "import socket, sys, signal\ns = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); signal.pause()",
                            port := free_port(),
                        ),
                        "ready": {"http": {"url": f"http://127.0.0.1:{port}/"}},
                    },
                    "stuck": {"command": IDLE, "ready": {"exec": IDLE}},
                    "other": {"command": sh(f"echo up >> {tmp_path / 'up'}; sleep infinity")},
                }
            }
        )
        .start()
        .wait_socket()
    )
    one.wait_state("other", "running")
    assert one.state("mute") == "starting" and one.state("stuck") == "starting"
    assert one.stop(20) == 0, one.output


def test_replicas_know_their_number(container, tmp_path):
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": sh(f"echo $REPLICA/$REPLICAS >> {tmp_path / 'who'}; sleep infinity"),
                        "replicas": 3,
                    },
                    "after": {"command": IDLE, "depends_on": depends(web="started")},
                }
            }
        )
        .start()
        .wait_ready()
    )
    names = [unit["name"] for unit in one.status()["units"]]
    assert [name for name in names if name.startswith("web")] == ["web[0]", "web[1]", "web[2]"]
    wait_until(lambda: len((tmp_path / "who").read_text().split()) == 3, "three replicas")
    assert sorted((tmp_path / "who").read_text().split()) == ["0/3", "1/3", "2/3"]
    assert one.stop() == 0


def test_workers_run_after_the_migration_unless_they_say_otherwise(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    one = (
        container(
            {
                "database": {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "app.db")}},
                "migrations": {"command": sh(f"read x < {gate.path}")},
                "workers": {
                    "web": {"command": IDLE},
                    "early": {"command": IDLE, "depends_on": {"database": {"condition": "completed"}}},
                },
            }
        )
        .start()
        .wait_socket()
    )
    one.wait_state("migrate", "running")
    assert one.state("web") == "waiting"
    one.wait_state("early", "running")
    assert one.marker("migrate.done") is None
    gate.open()
    one.wait_ready()
    assert one.marker("migrate.done")
    assert one.stop() == 0
