"""What reaches a worker when the container gets HUP, and what `unless-stopped` makes of an operator's stop."""
import signal

from harness import wait_until
from programs import IDLE, Trace, sh


def hears(trace, name, *signals):
    traps = " ".join(f"trap 'echo {name}-{number} >> {trace.path}' {number};" for number in signals)
    return sh(f"{traps} echo up-{name} >> {trace.path}; while :; do sleep infinity & wait $!; done")


def test_hup_becomes_each_workers_reload_signal(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    workers = {
        "web": {"command": hears(trace, "web", "HUP", "USR2"), "reload_signal": "USR2"},
        "other": {"command": hears(trace, "other", "HUP", "USR2")},
    }
    for worker in workers.values():
        worker["stop_grace_period"] = "1s"
    one = container({"workers": workers}).start()
    for name in workers:
        trace.wait_for(f"up-{name}")
    one.signal(signal.SIGHUP)
    trace.wait_for("web-USR2")
    assert [word for word in trace.words() if not word.startswith("up-")] == ["web-USR2"]
    assert one.stop(20) == 0, one.output


def test_unless_stopped_comes_back_by_itself_and_not_after_a_stop(container):
    web = {"command": IDLE, "restart": "unless-stopped", "restart_delay": "10ms"}
    one = container({"workers": {"web": web, "other": {"command": IDLE}}}).start().wait_ready()
    first = one.unit("web")["pid"]
    one.cli("signal", "KILL", "web")
    wait_until(lambda: one.unit("web")["pid"] not in (0, first), "a new process")
    one.cli("stop", "web")
    one.wait_state("web", "inactive")
    assert one.unit("web")["pid"] == 0
    assert one.stop(20) == 0, one.output
