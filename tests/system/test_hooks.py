"""pre_start, stop_command and post_stop: when they run, as whom, and that nothing waits for them for ever."""
import json
import signal

import pytest

from harness import wait_until
from processes import alive, descendants_of, environment_of, related_to
from programs import IDLE, Gate, Trace, sh


def says(trace, word, more=""):
    """A hook that appends a word and then does `more`."""
    return {"command": sh(f"echo {word} >> {trace.path}; {more}"), "timeout": "20s"}


def main_process(trace):
    """A service that says that it is up and that it got TERM."""
    return sh(f"trap 'echo TERM >> {trace.path}; exit 0' TERM; echo up >> {trace.path}; sleep infinity & wait")


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


def test_hooks_run_in_their_order(container, trace):
    web = {
        "command": main_process(trace),
        "pre_start": says(trace, "pre"),
        "stop_command": says(trace, "stop"),
        "post_stop": says(trace, "post"),
    }
    one = container({"workers": {"web": web}}).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["pre", "up", "stop", "TERM", "post"]


def test_every_start_and_every_end_has_its_hooks(container, trace):
    web = {
        "command": sh(f"echo up >> {trace.path}; [ $(grep -c up {trace.path}) -lt 3 ] && exit 1; sleep infinity"),
        "pre_start": says(trace, "pre"),
        "post_stop": says(trace, "post"),
        "restart_delay": "10ms",
        "stop_grace_period": "1s",
    }
    one = container({"workers": {"web": web, "other": {"command": IDLE}}}).start()
    wait_until(lambda: trace.words().count("up") == 3, lambda: one.output)
    one.wait_state("web", "running")
    one.cli("stop", "web")
    one.wait_state("web", "inactive")
    assert trace.words() == ["pre", "up", "post"] * 3
    assert one.unit("web")["restarts"] == 2


def test_hooks_are_written_in_the_short_form_too(container, trace):
    web = {"command": main_process(trace), "pre_start": f"sh -c 'echo pre >> {trace.path}'", "post_stop": ["true"]}
    one = container({"workers": {"web": web}}).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["pre", "up", "TERM"]


def test_hooks_are_what_their_unit_is(container, tmp_path):
    """User, directory, environment, and the process to talk to."""
    folder = tmp_path / "seen"
    folder.mkdir()
    folder.chmod(0o777)
    look = lambda name: sh(f"id -u > {folder}/{name}.uid; pwd > {folder}/{name}.pwd; env > {folder}/{name}.env")
    web = {
        "command": IDLE,
        "user": "nobody",
        "working_dir": "/usr",
        "environment": {"COLOUR": "green"},
        **{name: look(name) for name in ("pre_start", "stop_command", "post_stop")},
    }
    one = container({"workers": {"web": web}}).start().wait_ready()
    pid = one.unit("web")["pid"]
    expected = environment_of(one.unit_pid("web"))["COLOUR"]
    assert one.stop(20) == 0, one.output
    for name in ("pre_start", "stop_command", "post_stop"):
        assert (folder / f"{name}.uid").read_text() == "65534\n", one.output
        assert (folder / f"{name}.pwd").read_text() == "/usr\n"
        assert f"COLOUR={expected}" in (folder / f"{name}.env").read_text().split("\n")
    assert f"MAINPID={pid}" in (folder / "stop_command.env").read_text().split("\n")
    assert "MAINPID" not in (folder / "post_stop.env").read_text()


def test_a_hooks_output_is_in_its_units_log(container):
    web = {
        "command": sh("trap 'echo last words; exit 0' TERM; echo main speaks; sleep infinity & wait"),
        "pre_start": sh("echo pre speaks; echo pre complains >&2"),
        "stop_command": sh("echo stop speaks"),
        "post_stop": sh("echo post speaks"),
    }
    one = container({"logging": {"format": "json"}, "workers": {"web": web}}).start()
    wait_until(lambda: "main speaks" in one.output, lambda: one.output)
    assert one.stop(20) == 0, one.output
    said = [line["msg"] for line in one.events("output", "web")]
    assert sorted(said[:2]) == ["pre complains", "pre speaks"]
    assert said[2:] == ["main speaks", "stop speaks", "last words", "post speaks"]


def test_a_stop_command_that_ends_the_worker_needs_no_signal(container, trace):
    web = {
        "command": sh(
            f"trap 'echo TERM >> {trace.path}; exit 0' TERM; trap 'echo USR1 >> {trace.path}; exit 0' USR1;"
            f"echo up >> {trace.path}; while :; do sleep infinity & wait; done"
        ),
        "stop_command": sh("kill -USR1 $MAINPID; tail --pid=$MAINPID -f /dev/null"),
        "stop_grace_period": "20s",
    }
    one = container({"workers": {"web": web}}).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["up", "USR1"]


def test_a_stop_command_that_hangs_is_ended_and_the_signal_follows(container, trace):
    web = {
        "command": main_process(trace),
        "stop_command": {"command": sh("trap '' TERM; sleep infinity & sleep infinity"), "timeout": "200ms"},
    }
    one = container({"logging": {"format": "json"}, "workers": {"web": web}}, namespace=False).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["up", "TERM"]
    assert "did not finish within 200ms" in one.events("unit.hook_failed", "web")[0]["msg"]
    assert related_to(one.directory) == []


@pytest.mark.parametrize("restart,starts", [("no", 1), ("on-failure", 3)])
def test_a_pre_start_that_fails_is_a_failed_start(container, trace, restart, starts):
    web = {
        "command": main_process(trace),
        "pre_start": says(trace, "pre", "exit 3"),
        "post_stop": says(trace, "post"),
        "restart": restart,
        "restart_delay": "10ms",
        "start_limit_burst": 3,
    }
    one = container({"workers": {"web": web}}).start()
    assert one.wait_exit(30) == 80, one.output
    assert trace.words() == ["pre", "post"] * starts
    assert one.marker("failed")["unit"] == "web"
    assert "pre_start exited with code 3" in one.marker("failed")["reason"]


def test_a_pre_start_that_hangs_is_ended_with_its_children(container, trace):
    web = {
        "command": main_process(trace),
        "pre_start": {"command": sh("trap '' TERM; sleep infinity & sleep infinity"), "timeout": "200ms"},
        "restart": "no",
    }
    one = container({"workers": {"web": web}}, namespace=False).start()
    assert one.wait_exit(30) == 80, one.output
    assert "pre_start did not finish within 200ms" in one.output
    assert trace.words() == []
    assert related_to(one.directory) == []


@pytest.mark.parametrize("how", ["unit", "container"])
def test_stop_during_pre_start(container, trace, tmp_path, how):
    """Its whole group ends, the worker never starts, post_stop still runs."""
    gate = Gate(tmp_path / "gate")
    web = {
        "command": main_process(trace),
        "pre_start": says(trace, "pre", f"sleep infinity & read x < {gate.path}"),
        "post_stop": says(trace, "post"),
    }
    one = container({"workers": {"web": web, "other": {"command": IDLE}}}, namespace=False).start()
    trace.wait_for("pre")
    one.wait_state("web", "starting")
    assert "pre_start" in one.unit("web")["reason"]
    hook = [pid for pid in descendants_of(one.pid) if pid != one.unit("other")["pid"]]
    assert hook
    if how == "unit":
        one.cli("stop", "web")
        one.wait_state("web", "inactive")
        wait_until(lambda: not any(alive(pid) for pid in hook), "the end of the hook")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["pre", "post"]
    assert not any(alive(pid) for pid in hook)


def test_a_post_stop_that_hangs_is_ended_in_time(container, trace):
    web = {
        "command": main_process(trace),
        "post_stop": {"command": sh(f"echo post >> {trace.path}; trap '' TERM; while :; do sleep infinity; done"), "timeout": "200ms"},
    }
    one = container({"workers": {"web": web}}, namespace=False).start()
    trace.wait_for("up")
    assert one.stop(20) == 0, one.output
    assert trace.words() == ["up", "TERM", "post"]
    assert "post_stop did not finish within 200ms" in one.output
    assert related_to(one.directory) == []


def test_the_shutdown_timeout_ends_hooks_too(container, trace):
    web = {
        "command": main_process(trace),
        "stop_command": {"command": sh(f"echo stop >> {trace.path}; trap '' TERM; while :; do sleep infinity; done"), "timeout": "1h"},
    }
    one = container({"shutdown": {"timeout": "500ms"}, "workers": {"web": web}}, namespace=False).start()
    trace.wait_for("up")
    one.signal(signal.SIGTERM)
    assert one.wait_exit(20) == 0, one.output
    assert trace.words() == ["up", "stop"]
    assert related_to(one.directory) == []


def test_a_hook_that_does_not_exist_is_a_failed_start(container, trace):
    web = {"command": main_process(trace), "pre_start": "no-such-program", "restart": "no"}
    one = container({"workers": {"web": web}}).start()
    assert one.wait_exit(20) == 80, one.output
    assert "no-such-program" in json.dumps(one.marker("failed"))
    assert trace.words() == []
