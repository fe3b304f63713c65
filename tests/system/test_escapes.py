"""Daemons that leave their unit's process group end with the unit all the same."""
import os
import signal

import pytest

from harness import wait_until
from processes import alive, environment_of, send_signal, status_of
from programs import IDLE, python


def daemon(path, then="signal.pause()", ignore="()"):
    """Leaves a twice forked daemon in a session of its own, which writes its pid, and then does `then`."""
    return python(
        f"""
        import os, signal
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in {ignore}:
                    signal.signal(number, signal.SIG_IGN)
                with open({str(path)!r} + '.new', 'w') as file:
                    file.write(str(os.getpid()))
                os.rename({str(path)!r} + '.new', {str(path)!r})
                signal.pause()
            os._exit(0)
        os.wait()
        while not os.path.exists({str(path)!r}):
            os.sched_yield()
        {then}
        """
    )


def pid_in(one, path):
    wait_until(path.exists, lambda: f"the daemon's pid\n{one.output}")
    return one.outside(int(path.read_text()))


@pytest.mark.parametrize("namespace", [True, False], ids=["pid1", "subreaper"])
@pytest.mark.parametrize("ignore", ["()", "(signal.SIGTERM,)"], ids=["willing", "deaf"])
def test_a_units_daemon_ends_with_it_and_anothers_lives_on(container, tmp_path, namespace, ignore):
    workers = {
        name: {"command": daemon(tmp_path / name, ignore=ignore), "stop_grace_period": "300ms"} for name in ("web", "other")
    }
    one = container({"workers": workers}, namespace=namespace).start().wait_ready()
    mine, others = (pid_in(one, tmp_path / name) for name in ("web", "other"))
    assert status_of(mine)["PPid"] == str(one.pid)
    assert os.getsid(mine) != os.getsid(one.unit_pid("web"))
    one.cli("stop", "web")
    one.wait_state("web", "inactive")
    assert not alive(mine)
    assert alive(others)
    assert one.state("other") == "running"
    assert one.stop(20) == 0, one.output
    assert not alive(others)


def test_a_restart_begins_without_the_last_runs_daemon(container, tmp_path):
    web = {"command": daemon(tmp_path / "web"), "restart_delay": "10ms", "stop_grace_period": "5s"}
    one = container({"workers": {"web": web}}).start().wait_ready()
    first = pid_in(one, tmp_path / "web")
    leader = one.unit("web")["pid"]
    (tmp_path / "web").unlink()
    send_signal(one.unit_pid("web"), signal.SIGKILL, one.output)
    wait_until(lambda: one.unit("web")["pid"] not in (0, leader), "a new leader")
    assert not alive(first)
    assert one.stop(20) == 0, one.output


def test_a_oneshots_daemon_ends_before_it_is_completed(container, tmp_path):
    seed = {"type": "oneshot", "command": daemon(tmp_path / "seed", then="raise SystemExit(0)")}
    one = container({"workers": {"seed": seed, "other": {"command": IDLE}}}, namespace=False).start().wait_socket()
    one.wait_state("seed", "exited")
    assert not alive(int((tmp_path / "seed").read_text()))
    assert one.stop(20) == 0, one.output


def test_another_users_daemon_is_found_without_the_right_to_trace(container, tmp_path):
    """What root in a container has: it may become other users, and may not look into their processes."""
    tmp_path.chmod(0o777)
    web = {"command": daemon(tmp_path / "web"), "user": "nobody", "stop_grace_period": "2s"}
    less = ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"]
    one = container({"workers": {"web": web, "other": {"command": IDLE}}}, inner=less).start().wait_ready()
    mine = pid_in(one, tmp_path / "web")
    assert status_of(mine)["Uid"].split()[0] == "65534"
    assert int(status_of(one.pid)["CapEff"], 16) >> 19 & 1 == 0
    one.cli("stop", "web")
    one.wait_state("web", "inactive")
    assert not alive(mine)
    assert one.stop(20) == 0, one.output


def test_kill_mode_process_leaves_the_daemon_to_the_worker_and_then_kills_it(container, tmp_path):
    asked = tmp_path / "asked"
    web = {
        "command": daemon(tmp_path / "web", then=f"signal.signal(signal.SIGTERM, lambda *_: (open({str(asked)!r}, 'w').close(), os._exit(0)))\n        signal.pause()"),
        "kill_mode": "process",
        "stop_grace_period": "10s",
    }
    one = container({"workers": {"web": web, "other": {"command": IDLE}}}).start().wait_ready()
    mine = pid_in(one, tmp_path / "web")
    one.cli("stop", "web")
    one.wait_state("web", "inactive")
    assert asked.exists() and not alive(mine)
    assert "killing what is left" in one.output
    assert one.stop(20) == 0, one.output


def test_replicas_have_marks_of_their_own(container):
    web = {"command": IDLE, "replicas": 2}
    one = container({"workers": {"web": web}}).start().wait_ready()
    marks = [environment_of(one.unit_pid(f"web[{number}]"))["SLIPWAY_INSTANCE"] for number in (0, 1)]
    assert len(set(marks)) == 2
    assert [mark.split("/")[1:] for mark in marks] == [["web", "0"], ["web", "1"]]
    assert one.stop(20) == 0, one.output
