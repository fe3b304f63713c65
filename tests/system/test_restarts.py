"""Exits, restarts, backoff, start limits, health checks and what giving up means for the container."""
import signal

import pytest

from harness import wait_until
from processes import related_to, send_signal
from programs import IDLE, sh

JSON_LOG = {"format": "json"}


def counted(path, then):
    """A worker that notes each of its runs."""
    return sh(f"echo run >> {path}; {then}")


def runs(path):
    return len(path.read_text().split()) if path.exists() else 0


@pytest.mark.parametrize(
    "restart,code,again",
    [
        ("no", 1, False),
        ("no", 0, False),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("always", 0, True),
        ("always", 1, True),
        ("unless-stopped", 0, True),
    ],
)
def test_restart_policy(container, tmp_path, restart, code, again):
    path = tmp_path / "runs"
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": counted(path, f"[ $(wc -l < {path}) -lt 2 ] && exit {code}; sleep infinity"),
                        "restart": restart,
                        "restart_delay": "10ms",
                        "critical": False,
                    },
                    "other": {"command": IDLE},
                }
            }
        )
        .start()
        .wait_socket()
    )
    if again:
        one.wait_state("web", "running")
        wait_until(lambda: runs(path) == 2, "the second run")
        assert one.unit("web")["restarts"] == 1
        assert one.unit("web")["last_exit"]["code"] == code
    else:
        unit = one.wait_state("web", "exited", "failed")
        assert unit["state"] == ("exited" if code == 0 else "failed")
        assert unit["restarts"] == 0 and runs(path) == 1
    assert one.stop() == 0


def test_a_killed_worker_comes_back(container):
    one = container({"workers": {"web": {"command": IDLE, "restart_delay": "10ms"}}}).start().wait_ready()
    first = one.unit("web")["pid"]
    send_signal(one.unit_pid("web"), signal.SIGKILL, one.output)
    unit = wait_until(
        lambda: (lambda unit: unit if unit["pid"] not in (0, first) else None)(one.unit("web")), "a new process"
    )
    assert unit["restarts"] == 1
    assert "KILL" in unit["last_exit"]["text"] and unit["last_exit"]["code"] == 137
    assert one.stop() == 0


def test_backoff_grows_to_its_cap_and_the_start_limit_ends_it(container, tmp_path):
    path = tmp_path / "runs"
    one = container(
        {
            "logging": JSON_LOG,
            "workers": {
                "web": {
                    "command": counted(path, "exit 3"),
                    "restart_delay": "20ms",
                    "restart_max_delay": "100ms",
                    "restart_backoff": 2,
                    "restart_jitter": "0%",
                    "start_limit_burst": 6,
                    "start_limit_interval": "10m",
                },
            },
        }
    ).start()
    assert one.wait_exit() == 3, one.output
    assert runs(path) == 6
    delays = [record["delay_ms"] for record in one.events(unit="web") if "delay_ms" in record]
    assert delays == [20, 40, 80, 100, 100], delays
    failed = one.marker("failed")
    assert failed["unit"] == "web" and failed["exit_code"] == 3


def test_an_operator_sees_the_backoff(container):
    one = (
        container(
            {
                "workers": {
                    "web": {"command": sh("exit 3"), "restart_delay": "1h", "restart_max_delay": "1h"},
                    "other": {"command": IDLE},
                }
            }
        )
        .start()
        .wait_socket()
    )
    unit = one.wait_state("web", "backoff")
    assert unit["pid"] == 0 and unit["last_exit"]["code"] == 3
    assert one.stop(20) == 0


@pytest.mark.parametrize("then,code", [("exit 7", 7), ("kill -KILL $BASHPID", 137), ("exit 0", 0)])
def test_giving_up_on_a_critical_worker_ends_the_container_with_its_code(container, tmp_path, then, code):
    one = container(
        {
            "workers": {
                "web": {"command": sh(then), "restart": "no"},
                "polite": {
                    "command": sh(f"trap 'echo bye > {tmp_path}/bye; exit 0' TERM; echo up; sleep infinity & wait")
                },
            }
        }
    ).start()
    if code == 0:
        one.wait_socket().wait_state("web", "exited")
        assert one.stop() == 0
    else:
        assert one.wait_exit() == code, one.output


def test_a_critical_worker_that_cannot_be_executed_ends_the_container_with_80(container):
    one = container(
        {
            "workers": {
                "web": {"command": ["/nonexistent/web"], "restart_delay": "10ms", "start_limit_burst": 2},
                "other": {"command": IDLE},
            }
        }
    ).start()
    assert one.wait_exit() == 80, one.output
    assert "/nonexistent/web" in one.marker("failed")["reason"]


def test_success_exit_status_is_no_failure(container):
    one = container(
        {
            "workers": {
                "job": {"type": "oneshot", "command": sh("exit 42"), "success_exit_status": [0, 42]},
                "web": {"command": IDLE},
            }
        }
    )
    one.start().wait_ready()
    assert one.state("job") == "exited"
    assert one.stop() == 0


def test_exit_code_from_names_the_worker_that_speaks_for_the_container(container):
    one = (
        container(
            {
                "shutdown": {"exit_code_from": "web"},
                "workers": {"web": {"command": sh("trap 'exit 23' TERM; echo up; sleep infinity & wait")}},
            }
        )
        .start()
        .wait_ready()
    )
    wait_until(lambda: "up" in one.output, "the worker's trap")
    assert one.stop() == 23, one.output


def test_all_oneshots_done_and_no_service_left_ends_the_container_with_0(container):
    one = container(
        {
            "workers": {
                "a": {"type": "oneshot", "command": ["true"]},
                "b": {"type": "oneshot", "command": ["true"], "depends_on": {"a": {"condition": "completed"}}},
            }
        }
    )
    assert one.start().wait_exit(30) == 0, one.output


def test_a_failing_health_check_restarts_the_worker(container, tmp_path):
    flag, path = tmp_path / "healthy", tmp_path / "runs"
    flag.write_text("")
    one = (
        container(
            {
                "logging": JSON_LOG,
                "workers": {
                    "web": {
                        "command": counted(path, f": > {flag}; sleep infinity"),
                        "restart_delay": "10ms",
                        "healthcheck": {
                            "test": ["CMD", "test", "-e", str(flag)],
                            "interval": "50ms",
                            "retries": 2,
                            "timeout": "5s",
                        },
                    }
                },
            }
        )
        .start()
        .wait_ready()
    )
    assert one.state("web") == "ready"
    flag.unlink()
    wait_until(lambda: runs(path) == 2, "a restart by the health check")
    one.wait_state("web", "ready")
    assert one.unit("web")["restarts"] == 1
    assert one.events("unit.unhealthy", "web"), one.output
    assert one.stop() == 0


def test_an_ignored_health_check_only_shows(container, tmp_path):
    flag, path = tmp_path / "healthy", tmp_path / "runs"
    flag.write_text("")
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": counted(path, "sleep infinity"),
                        "healthcheck": {
                            "test": f"test -e {flag}",
                            "interval": "50ms",
                            "retries": 1,
                            "on_failure": "ignore",
                        },
                    }
                }
            }
        )
        .start()
        .wait_ready()
    )
    flag.unlink()
    one.wait_state("web", "unhealthy")
    assert one.cli("health", check=False).returncode == 1
    wait_until(lambda: one.marker("ready") is None, "the ready marker to be removed")
    flag.write_text("")
    one.wait_state("web", "ready")
    assert one.cli("health").returncode == 0
    assert runs(path) == 1
    assert one.stop() == 0


def test_a_health_check_may_shut_the_container_down(container, tmp_path):
    flag = tmp_path / "healthy"
    flag.write_text("")
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": IDLE,
                        "healthcheck": {
                            "test": ["CMD-SHELL", f"test -e {flag}"],
                            "interval": "50ms",
                            "retries": 1,
                            "on_failure": "shutdown",
                        },
                    }
                }
            }
        )
        .start()
        .wait_ready()
    )
    flag.unlink()
    assert one.wait_exit() == 80, one.output
    assert one.marker("failed")["unit"] == "web"


def test_a_health_check_that_hangs_counts_as_failed_and_leaves_nothing(container, tmp_path):
    flag = tmp_path / "healthy"
    flag.write_text("")
    check = {
        "test": sh(f"test -e {flag} && exit; sleep infinity & wait"),
        "interval": "50ms",
        "timeout": "1s",
        "retries": 1,
        "on_failure": "ignore",
    }
    one = container({"workers": {"web": {"command": IDLE, "healthcheck": check}}}, namespace=False).start().wait_ready()
    flag.unlink()
    one.wait_state("web", "unhealthy")
    assert one.stop(20) == 0, one.output
    assert related_to(one.directory.parent) == []


def test_start_period_forgives(container, tmp_path):
    """Failures within start_period do not count; the first success ends it."""
    flag, path = tmp_path / "healthy", tmp_path / "runs"
    one = (
        container(
            {
                "workers": {
                    "web": {
                        "command": counted(path, "sleep infinity"),
                        "healthcheck": {
                            "test": f"test -e {flag}",
                            "interval": "30ms",
                            "start_interval": "30ms",
                            "retries": 1,
                            "start_period": "1h",
                        },
                    }
                }
            }
        )
        .start()
        .wait_socket()
    )
    wait_until(lambda: one.state("web") == "starting", "the worker to start")
    assert one.marker("ready") is None
    flag.write_text("")
    one.wait_ready()
    assert runs(path) == 1
    assert one.stop() == 0
