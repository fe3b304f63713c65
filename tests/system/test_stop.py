"""The container's stop: in reverse order, politely, then by force, at any moment of the boot, and always in time."""
import shutil
import signal
import socket
import time

import pytest

from harness import free_port, wait_until
from processes import alive, descendants_of, related_to, send_signal, status_of
from programs import IDLE, Gate, Trace, sh

ON_NOTHING = {"condition": "completed"}


def deaf(more=""):
    """A worker that ignores TERM, and so do its children."""
    return sh(f"trap '' TERM INT; sleep infinity & sleep infinity & {more} echo deaf-up; wait; sleep infinity")


def local_postgres(tmp_path, **settings):
    folder = tmp_path / "cluster"
    folder.mkdir(exist_ok=True)
    shutil.chown(folder, "postgres", "postgres")
    return {
        "backend": "postgres",
        "postgres": {
            "local": True,
            "port": free_port(),
            "name": "app",
            "user": "app",
            "password": "pw",
            "cluster": {"data_dir": str(folder / "data"), "init_scripts": ""},
            **settings,
        },
    }


def test_workers_stop_in_the_reverse_of_their_start(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    one = container(
        {
            "workers": {
                "c": {"command": trace.on_term("c"), "depends_on": ["b"]},
                "a": {"command": trace.on_term("a")},
                "b": {"command": trace.on_term("b"), "depends_on": ["a"]},
            }
        }
    ).start()
    for name in "abc":
        trace.wait_for(f"up-{name}")
    assert one.stop() == 0, one.output
    assert trace.words()[3:] == ["c", "b", "a"]


def test_a_dependency_stays_until_a_slow_dependent_has_ended(container, tmp_path):
    trace, gate = Trace(tmp_path / "trace"), Gate(tmp_path / "gate")
    slow = sh(
        f"trap 'echo slow-asked >> {trace.path}; read x < {gate.path}; echo slow-ended >> {trace.path}; exit 0' TERM; echo up-slow >> {trace.path}; sleep infinity & wait"
    )
    one = container(
        {
            "workers": {
                "base": {"command": trace.on_term("base")},
                "slow": {"command": slow, "stop_grace_period": "1h", "depends_on": ["base"]},
            }
        }
    ).start()
    trace.wait_for("up-slow")
    one.signal(signal.SIGTERM)
    trace.wait_for("slow-asked")
    assert one.state("base") == "running"
    gate.open()
    assert one.wait_exit() == 0, one.output
    assert trace.words()[-3:] == ["slow-asked", "slow-ended", "base"]


@pytest.mark.parametrize("namespace", [True, False], ids=["pid1", "subreaper"])
def test_a_deaf_worker_and_its_children_are_killed_after_the_grace_period(container, namespace):
    one = (
        container(
            {
                "logging": {"format": "json"},
                "workers": {"deaf": {"command": deaf(), "stop_grace_period": "300ms"}, "other": {"command": IDLE}},
            },
            namespace=namespace,
        )
        .start()
        .wait_ready()
    )
    wait_until(lambda: "deaf-up" in one.output, "the worker")
    pids = descendants_of(one.pid)
    assert len(pids) == 4
    began = time.monotonic()
    assert one.stop(30) == 0, one.output
    assert time.monotonic() - began >= 0.3
    assert not any(alive(pid) for pid in pids)
    assert one.events("unit.killed", "deaf") and not one.events("unit.killed", "other")


def test_children_that_outlive_a_willing_worker_are_ended_too(container):
    """The leader goes at TERM; its deaf child would keep the container's files and ports."""
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": sh(
                            "(trap '' TERM; sleep infinity) & trap 'exit 0' TERM; echo up; sleep infinity & wait $!"
                        ),
                        "stop_grace_period": "300ms",
                    }
                }
            },
            namespace=False,
        )
        .start()
        .wait_ready()
    )
    wait_until(lambda: len(descendants_of(one.pid)) == 3, "the worker's children")
    pids = descendants_of(one.pid)
    assert one.stop(30) == 0, one.output
    assert not any(alive(pid) for pid in pids)


def test_stop_sequence_sends_its_signals_in_order(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh(
                        f"trap 'echo int >> {trace.path}' INT; trap 'echo quit >> {trace.path}; exit 0' QUIT; echo up >> {trace.path}; while :; do sleep infinity & wait; done"
                    ),
                    "stop_sequence": [{"signal": "INT", "wait": "200ms"}, {"signal": "SIGQUIT", "wait": "30s"}],
                    "kill_mode": "process",
                }
            }
        }
    ).start()
    trace.wait_for("up")
    assert one.stop(30) == 0, one.output
    assert trace.words() == ["up", "int", "quit"]


def test_stop_signal_is_used(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh(
                        f"trap 'echo usr1 >> {trace.path}; exit 0' USR1; sleep infinity & echo up >> {trace.path}; wait"
                    ),
                    "stop_signal": "USR1",
                    "stop_grace_period": "30s",
                }
            }
        }
    ).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["up", "usr1"]


def test_shutdown_timeout_is_the_upper_bound(container):
    one = (
        container(
            {
                "shutdown": {"timeout": "500ms"},
                "workers": {
                    "a": {"command": deaf(), "stop_grace_period": "1h"},
                    "b": {"command": deaf(), "stop_grace_period": "1h", "depends_on": ["a"]},
                },
            }
        )
        .start()
        .wait_ready()
    )
    wait_until(lambda: one.output.count("deaf-up") == 2, "the workers")
    assert one.stop(20) in (0, 80), one.output


def test_further_signals_during_the_stop_do_not_cut_it_short(container, tmp_path):
    trace, gate = Trace(tmp_path / "trace"), Gate(tmp_path / "gate")
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh(
                        f"trap '' INT HUP; trap 'echo asked >> {trace.path}; read x < {gate.path}; echo saved >> {trace.path}; exit 0' TERM; echo up >> {trace.path}; sleep infinity & wait"
                    ),
                    "stop_grace_period": "1h",
                }
            }
        }
    ).start()
    trace.wait_for("up")
    one.signal(signal.SIGTERM)
    trace.wait_for("asked")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
        one.signal(number)
    assert one.status()["container"]["state"] == "stopping"
    gate.open()
    assert one.wait_exit(20) == 0, one.output
    assert trace.words() == ["up", "asked", "saved"]


# --- in every phase of the boot


def check_stopped(one, timeout=30):
    """Stops it and checks what must hold whenever a boot is cut short."""
    assert one.stop(timeout) == 0, one.output
    assert one.marker("ready") is None and one.marker("migrate.done") is None
    assert related_to(one.directory.parent) == []


PHASES = {
    "waiting": (
        {"gone": {"type": "oneshot", "command": IDLE}, "web": {"command": IDLE, "depends_on": {"gone": ON_NOTHING}}},
        "web",
        "waiting",
    ),
    "starting": ({"web": {"command": IDLE, "ready": {"file": {"path": "/nonexistent"}}}}, "web", "starting"),
    "oneshot": ({"web": {"type": "oneshot", "command": IDLE}}, "web", "running"),
    "backoff": ({"web": {"command": ["false"], "restart_delay": "1h", "restart_max_delay": "1h"}}, "web", "backoff"),
    "stuck probe": ({"web": {"command": IDLE, "ready": {"exec": ["sleep", "infinity"]}}}, "web", "starting"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_stop_while_a_worker_is(container, phase):
    workers, unit, state = PHASES[phase]
    one = container({"workers": workers}, namespace=False).start().wait_socket()
    one.wait_state(unit, state)
    check_stopped(one)


@pytest.mark.parametrize("stage", ["check_command", "command", "verify_command"])
def test_stop_during_a_migration(container, tmp_path, stage):
    """The command under slipway-db is stopped with it, and the marker never appears."""
    trace = Trace(tmp_path / "trace")
    stuck = sh(f"echo at-{stage} >> {trace.path}; sleep infinity")
    commands = {"check_command": ["false"], "command": ["true"], "verify_command": ["true"], stage: stuck}
    one = container(
        {
            "database": {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "app.db")}},
            "migrations": commands,
            "workers": {"web": {"command": IDLE}},
        },
        namespace=False,
    ).start()
    trace.wait_for(f"at-{stage}")
    check_stopped(one)


def test_stop_while_waiting_for_a_server_that_never_answers(container, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        one = (
            container(
                {
                    "database": {
                        "backend": "postgres",
                        "postgres": {
                            "host": "127.0.0.1",
                            "port": silent.getsockname()[1],
                            "password": "x",
                            "connect_timeout": "1h",
                            "wait": {"timeout": "1h"},
                        },
                    },
                    "migrations": {"command": ["true"]},
                    "workers": {"web": {"command": IDLE}},
                },
                namespace=False,
            )
            .start()
            .wait_socket()
        )
        one.wait_state("database", "running")
        silent.accept()
        check_stopped(one, 15)


@pytest.mark.parametrize(
    "unit,states",
    [
        ("initdb", ["running"]),
        ("postgres", ["starting", "running", "ready"]),
        ("database", ["running"]),
        ("migrate", ["running"]),
    ],
)
def test_stop_during_a_local_cold_boot(container, tmp_path, unit, states):
    config = {
        "database": local_postgres(tmp_path),
        "migrations": {"command": IDLE},
        "workers": {"web": {"command": IDLE}},
    }
    one = container(config, namespace=False).start().wait_socket()
    one.wait_state(unit, *states)
    check_stopped(one)


def test_postgres_stops_last_and_fast_after_the_workers_last_write(container, tmp_path):
    """A worker may still write while it stops, and an idle session does not hold the server up."""
    write = "psql -XAtqc \"INSERT INTO t VALUES ('written while stopping')\""
    config = {
        "database": local_postgres(tmp_path),
        "migrations": {
            "command": ["psql", "-XAtqc", "CREATE TABLE t (v text)"],
            "check_command": ["psql", "-XAtqc", "SELECT * FROM t"],
        },
        "workers": {
            "web": {
                "command": sh(f"finish() {{ {write}; exit 0; }}; trap finish TERM; echo web-up; sleep infinity & wait"),
                "stop_grace_period": "30s",
            },
            "last": {
                "command": sh("while :; do psql -XAtqc 'SELECT v FROM t' && echo read-all; break; done; sleep infinity")
            },
        },
    }
    one = container(config).start().wait_ready()
    wait_until(lambda: "web-up" in one.output, "the worker's trap")
    assert one.stop() == 0, one.output
    assert "received fast shutdown request" in one.output
    assert "database system is shut down" in one.output
    again = container(config).start().wait_ready()
    wait_until(lambda: "written while stopping" in again.output, "the row written while stopping")
    assert "was not properly shut down" not in again.output
    assert again.stop() == 0, again.output


def test_workers_of_a_lost_leader_are_not_lost(container):
    """A worker that is killed leaves children in its group; its restart begins only when they are gone."""
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": sh("sleep infinity & sleep infinity & wait"),
                        "restart_delay": "10ms",
                        "stop_grace_period": "1s",
                    }
                }
            },
            namespace=False,
        )
        .start()
        .wait_ready()
    )
    wait_until(lambda: len(descendants_of(one.pid)) == 3, "the worker's children")
    leader = one.unit("web")["pid"]
    children = [pid for pid in descendants_of(one.pid) if pid != leader]
    send_signal(leader, signal.SIGKILL, one.output)
    wait_until(lambda: one.unit("web")["pid"] not in (0, leader), "a new leader")
    assert not any(alive(pid) for pid in children), [status_of(pid) for pid in children]
    assert one.stop() == 0
