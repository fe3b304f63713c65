"""`slipway reload` and SIGHUP: the configuration is read again and only what differs is touched."""
import json
import os
import signal
import subprocess

import pytest

from harness import SLIPWAY, wait_until
from processes import children_of
from programs import IDLE, Gate, Trace, sh


def pids(one):
    return {unit["name"]: unit["pid"] for unit in one.status()["units"]}


def reload(one, config, *words, check=True):
    one.write_config(config)
    return one.cli("reload", *words, check=check)


def test_only_the_changed_worker_gets_another_process(container):
    config = {"workers": {"web": {"command": IDLE}, "api": {"command": IDLE, "environment": {"A": "1"}}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    config["workers"]["api"]["environment"]["A"] = "2"
    assert reload(one, config).stdout == "api: restart (environment)\n"
    after = pids(one)
    assert after["web"] == before["web"] and after["api"] not in (0, before["api"])
    environment = open(f"/proc/{one.unit_pid('api')}/environ", "rb").read().split(b"\0")
    assert b"A=2" in environment
    assert reload(one, config).stdout == "nothing changed\n"
    assert pids(one) == after
    assert one.stop() == 0


def test_workers_come_and_go(container):
    config = {"workers": {"web": {"command": IDLE}, "old": {"command": IDLE}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    del config["workers"]["old"]
    config["workers"]["new"] = {"command": IDLE}
    assert reload(one, config).stdout == "new: start (added)\nold: stop (removed)\n"
    after = pids(one)
    assert sorted(after) == ["new", "web"] and after["web"] == before["web"] and after["new"]
    assert len(children_of(one.pid)) == 2
    # Requests, waiting and logs know the new one and not the old one.
    one.cli("restart", "new")
    assert "no such unit" in one.cli("restart", "old", check=False).stderr
    assert one.stop() == 0


def test_an_invalid_configuration_changes_nothing(container):
    config = {"logging": {"format": "json"}, "workers": {"web": {"command": IDLE}, "api": {"command": IDLE}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    config["workers"]["web"] = {"command": ["sleep", "1000"]}
    config["workers"]["api"]["stop_grace_period"] = "ten"
    config["workers"]["extra"] = {"comand": "x"}
    refused = reload(one, config, check=False)
    assert refused.returncode == 1 and refused.stdout == ""
    assert "expected a duration" in refused.stderr and 'unknown key "comand"' in refused.stderr
    assert pids(one) == before
    told = [record["msg"] for record in one.events("config.refused")]
    assert any("expected a duration" in message for message in told)
    # Put right, it works.
    del config["workers"]["extra"]
    config["workers"]["api"] = {"command": IDLE}
    assert reload(one, config).stdout == "web: restart (command)\n"
    assert one.stop() == 0


@pytest.mark.parametrize(
    "section, value",
    [("state_dir", "/tmp/elsewhere"), ("name", "other"), ("markers", {"directory": "/tmp/elsewhere"}),
     ("database", {"backend": "sqlite", "sqlite": {"path": "/tmp/x.db"}})],
)
def test_what_cannot_change_refuses_the_whole_reload(container, section, value):
    config = {"workers": {"web": {"command": IDLE}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    refused = reload(one, {section: value, "workers": {"web": {"command": ["sleep", "1000"]}}}, check=False)
    assert refused.returncode == 1
    assert f"{section}: has changed, and that needs a restart of the container" in refused.stderr
    assert pids(one) == before
    assert one.stop() == 0


def test_an_env_file_concerns_its_users_alone(container, tmp_path):
    values = tmp_path / "api.env"
    values.write_text("A=1\n")
    config = {"workers": {"web": {"command": IDLE}, "api": {"command": IDLE, "env_file": str(values)}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    values.write_text("A=2\n")
    assert one.cli("reload").stdout == "api: restart (contents of env_file)\n"
    after = pids(one)
    assert after["web"] == before["web"] and after["api"] != before["api"]
    assert b"A=2" in open(f"/proc/{one.unit_pid('api')}/environ", "rb").read().split(b"\0")
    assert one.stop() == 0


def test_sources_and_templates_concern_every_worker_and_are_written_first(container, tmp_path):
    source = tmp_path / "common.env"
    source.write_text("GREETING=hello\n")
    template = tmp_path / "greeting.in"
    template.write_text("${GREETING} to all\n")
    result = tmp_path / "greeting"
    seen = tmp_path / "seen"
    config = {
        "environment_sources": [{"file": str(source)}],
        "environment_output": str(tmp_path / "out.env"),
        "templates": [{"from": str(template), "to": str(result)}],
        "workers": {"web": {"command": sh(f"cat {result} >> {seen}; sleep infinity")}, "api": {"command": IDLE}},
    }
    one = container(config).start().wait_ready()
    before = pids(one)
    source.write_text("GREETING=goodbye\n")
    assert one.cli("reload").stdout == "".join(f"{name}: restart (the common environment)\n" for name in ("api", "web"))
    wait_until(lambda: seen.read_text() == "hello to all\ngoodbye to all\n", seen.read_text)
    assert "GREETING=goodbye" in (tmp_path / "out.env").read_text()
    assert all(before[name] != pid for name, pid in pids(one).items())
    template.write_text("${GREETING}!\n")
    assert one.cli("reload").stdout == "".join(f"{name}: restart (rendered files)\n" for name in ("api", "web"))
    wait_until(lambda: seen.read_text().endswith("goodbye!\n"), seen.read_text)
    assert one.stop() == 0


def test_stops_in_reverse_and_starts_in_order(container, tmp_path):
    trace = Trace(tmp_path / "trace")

    def workers(mark):
        return {
            "cache": {"command": trace.on_term("cache"), "environment": {"M": mark}},
            "web": {"command": trace.on_term("web"), "environment": {"M": mark}, "depends_on": ["cache"]},
            "edge": {"command": trace.on_term("edge"), "environment": {"M": mark}, "depends_on": ["web"]},
        }

    one = container({"workers": workers("1")}).start().wait_ready()
    trace.wait_for("up-edge")
    trace.path.write_text("")
    reload(one, {"workers": workers("2")})
    wait_until(lambda: "up-edge" in trace.words(), trace.words)
    assert trace.words()[:3] == ["edge", "web", "cache"]
    started = [line.split()[2] for line in one.output.splitlines() if " started pid=" in line][-3:]
    assert started == ["cache", "web", "edge"]
    assert one.stop() == 0


def test_a_dry_run_says_what_would_change_and_changes_nothing(container):
    config = {"workers": {"web": {"command": IDLE}, "old": {"command": IDLE}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    new = {"workers": {"web": {"command": IDLE, "nice": 5, "restart": "always"}}}
    answer = json.loads(reload(one, new, "--dry-run", "--json").stdout)
    assert answer["applied"] is False
    assert answer["changes"] == [
        {"name": "old", "action": "stop", "why": ["removed"]},
        {"name": "web", "action": "restart", "why": ["nice", "restart"]},
    ]
    assert pids(one) == before
    assert one.stop() == 0


def test_hup_reloads_and_still_reaches_who_asked_for_it(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    listener = {"command": sh(f"trap 'echo hup >> {trace.path}' HUP; echo up >> {trace.path}; while :; do sleep infinity & wait; done"),
                "reload_signal": "HUP"}
    config = {"logging": {"format": "json"}, "workers": {"web": {"command": IDLE}, "listener": listener}}
    one = container(config).start().wait_ready()
    trace.wait_for("up")
    before = pids(one)
    config["workers"]["web"]["nice"] = 3
    one.write_config(config)
    one.signal(signal.SIGHUP)
    wait_until(lambda: one.events("config.reloaded"), lambda: one.output)
    trace.wait_for("hup")
    one.wait_state("web", "running")
    after = pids(one)
    assert after["listener"] == before["listener"] and after["web"] != before["web"]
    # By name it is that worker's own signal, and nothing is read again.
    trace.path.write_text("")
    one.cli("reload", "listener")
    trace.wait_for("hup")
    assert "it has no reload_signal" in one.cli("reload", "web", check=False).stderr
    assert len(one.events("config.reloaded")) == 1
    assert one.stop() == 0


def test_hup_belongs_to_the_containers_own_command(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    main = sh(f"trap 'echo hup >> {trace.path}' HUP; echo up >> {trace.path}; while :; do sleep infinity & wait; done")
    one = container({"logging": {"format": "json"}, "workers": {"web": {"command": IDLE}}}, command=main).start()
    one.wait_ready()
    trace.wait_for("up")
    before = pids(one)
    one.write_config({"logging": {"format": "json"}, "workers": {"web": {"command": ["sleep", "1000"]}}})
    one.signal(signal.SIGHUP)
    trace.wait_for("hup")
    assert pids(one) == before
    # Asked for, a reload leaves it alone.
    one.cli("reload")
    after = pids(one)
    assert after["main"] == before["main"] and after["web"] != before["web"]


def test_a_second_reload_waits_for_its_turn_elsewhere(container, tmp_path):
    """While the first still ends something, the second is refused; the container's stop abandons the first."""
    gate = Gate(tmp_path / "gate")
    slow = {"command": sh(f"trap 'read x < {gate.path}; exit 0' TERM; sleep infinity & wait"), "stop_grace_period": "60s"}
    config = {"logging": {"format": "json"}, "workers": {"slow": slow, "web": {"command": IDLE}}}
    one = container(config).start().wait_ready()
    before = pids(one)
    config["workers"]["slow"] = {**slow, "nice": 1}
    one.write_config(config)
    argv = [str(SLIPWAY), "reload", "--socket", str(one.socket)]
    first = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    one.wait_state("slow", "stopping")
    second = one.cli("reload", check=False)
    assert second.returncode == 1 and "a reload is under way" in second.stderr
    assert "a reload is under way" in one.cli("restart", "slow", check=False).stderr
    gate.open()
    out, errors = first.communicate(timeout=60)
    assert (first.returncode, out) == (0, "slow: restart (nice)\n"), errors
    after = pids(one)
    assert after["web"] == before["web"] and after["slow"] != before["slow"]
    config["workers"]["slow"] = slow
    one.write_config(config)
    first = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    one.wait_state("slow", "stopping")
    one.signal(signal.SIGTERM)
    wait_until(lambda: one.events("config.reload_abandoned"), lambda: one.output)
    gate.open()
    assert one.wait_exit() == 0
    first.communicate(timeout=60)
    assert first.returncode == 1


def test_reloads_while_a_worker_is_in_backoff_or_waits(container, tmp_path):
    config = {
        "workers": {
            "flaky": {"command": ["false"], "critical": False, "restart_delay": "60s",
                      "restart_max_delay": "60s", "restart_jitter": "0%"},
            "load": {"type": "oneshot", "command": IDLE},
            "web": {"command": IDLE, "depends_on": {"load": {"condition": "completed"}}},
        }
    }
    one = container(config).start().wait_socket()
    one.wait_state("flaky", "backoff")
    one.wait_state("web", "waiting")
    config["workers"]["flaky"]["command"] = IDLE
    config["workers"]["load"]["command"] = ["true"]
    reload(one, config)
    assert {name: one.state(name) for name in ("flaky", "load", "web")} == {
        "flaky": "running", "load": "exited", "web": "running"}
    assert one.stop() == 0


def test_a_stuck_file_system_does_not_stop_pid_1(container, tmp_path):
    """A reader that hangs (here: stopped) leaves status answering, and the container stops as ever."""
    one = container({"workers": {"web": {"command": IDLE}}}).start().wait_ready()
    one.write_config({"workers": {"web": {"command": ["sleep", "1000"]}}})
    argv = [str(SLIPWAY), "reload", "--socket", str(one.socket)]
    stopped = []

    def reader():
        for pid in children_of(one.pid):
            try:
                words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
            except OSError:
                continue
            if b"read-configuration" in words:
                os.kill(pid, signal.SIGSTOP)
                return pid
        return None

    # The reader is quick: tried until one was caught in the act.
    for _ in range(200):
        client = subprocess.Popen(argv + ["--dry-run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while client.poll() is None and not stopped:
            pid = reader()
            if pid:
                stopped.append(pid)
        if stopped:
            break
    assert stopped, "no reader was ever seen"
    assert one.status()["container"]["ready"]
    assert one.stop() == 0
    client.wait(30)
