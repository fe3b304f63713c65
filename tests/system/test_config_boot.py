"""From configuration to boot: what is wrong is told all at once and starts nothing; markers and written files."""
import base64
import json
import stat
import subprocess

import pytest

from harness import SLIPWAY, wait_until
from processes import environment_of
from programs import IDLE, Gate, sh

BROKEN = """\
name: shop
databse:
  backend: sqlite
workers:
  web:
    command: gunicorn
    restart: somtimes
    stop_grace_period: ten
    depends_on: {ghost: {condition: completed}}
  a: {command: x, depends_on: [b]}
  b: {command: x, depends_on: [a]}
  c: {comand: x}
"""


def test_every_problem_is_listed_with_its_place_and_nothing_starts(container, tmp_path):
    one = container()
    one.config_path = one.directory / "slipway.yaml"
    one.config_path.write_text(BROKEN)
    one.start()
    assert one.wait_exit() == 78
    lines = [line for line in one.output.splitlines() if "slipway.yaml:" in line]
    expected = {
        ":2:1:": "did you mean 'database'?",
        ":7:14:": "somtimes",
        ":8:24:": "ten",
        ":9:18:": "ghost",
        ":12:7:": "did you mean 'command'?",
    }
    for place, text in expected.items():
        assert any(place in line and text in line for line in lines), (place, text, one.output)
    assert any(":10:" in line and "a -> b -> a" in line for line in lines), one.output
    assert not one.socket.exists()


def test_stale_markers_are_removed_by_a_boot_that_fails_on_its_configuration(container):
    one = container({"workers": {"web": {"command": IDLE}}}).start().wait_ready()
    one.kill()
    assert one.marker("ready")
    again = container({"workers": {"web": {"comand": IDLE}}}).start()
    assert again.wait_exit() == 78, again.output
    assert again.marker("ready") is None


def test_stale_markers_are_gone_before_anything_runs(container, tmp_path):
    """Left over from a boot that was killed; their presence is a promise to others."""
    extra = tmp_path / "migrate.done"
    config = {
        "markers": {"directory": str(tmp_path / "markers"), "migrate_done": str(extra)},
        "database": {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "app.db")}},
        "migrations": {"command": ["true"]},
        "workers": {"web": {"command": IDLE}},
    }
    one = container(config)
    one.markers = tmp_path / "markers"
    one.start().wait_ready()
    marker = one.marker("migrate.done")
    assert set(marker) >= {"name", "at", "boot_id", "config_sha256", "duration_ms"}
    assert json.loads(extra.read_text()) == marker
    first_boot = marker["boot_id"]
    one.kill()
    assert one.marker("ready") and one.marker("migrate.done") and extra.exists()

    gate, seen, applied = Gate(tmp_path / "gate"), tmp_path / "seen", tmp_path / "applied"
    look = f"ls {one.markers} {extra} > {seen} 2>/dev/null; read x < {gate.path}; exit 1"
    check = sh(f"[ -e {applied} ] && exit 0; [ -e {seen} ] && exit 1; {look}")
    config["migrations"] = {"command": ["touch", str(applied)], "check_command": check}
    again = container(config)
    again.markers = tmp_path / "markers"
    again.start()
    wait_until(lambda: seen.exists() and again.marker("ready") is None, "the migration")
    assert "migrate.done" not in seen.read_text() and "ready" not in seen.read_text().replace("database.ready", "")
    gate.open()
    again.wait_ready()
    assert again.marker("migrate.done")["boot_id"] != first_boot
    assert again.stop() == 0
    assert again.marker("ready") is None


def test_failed_marker_tells_who_and_why(container):
    one = container({"workers": {"web": {"command": sh("exit 9"), "restart": "no"}}}).start()
    assert one.wait_exit() == 9
    failed = one.marker("failed")
    assert failed["unit"] == "web" and failed["exit_code"] == 9 and failed["reason"]
    assert one.marker("ready") is None


def test_environment_sources_lowest_first_and_the_container_wins(container, tmp_path):
    (tmp_path / "app.env").write_text("A=file\nB=file\nC=file\nD=file\n")
    (tmp_path / "app.json").write_text(json.dumps({"B": "json", "C": "json", "D": "json", "NUMBER": 5, "FLAG": True}))
    encoded = base64.b64encode(json.dumps({"C": "b64", "D": "b64"}).encode()).decode()
    output = tmp_path / "out" / ".env"
    output.parent.mkdir()
    one = (
        container(
            {
                "environment_sources": [
                    {"file": str(tmp_path / "app.env")},
                    {"json_file": str(tmp_path / "app.json")},
                    {"json_base64": "${CONFIG_JSON_B64:-}"},
                    {"file": str(tmp_path / "absent.env"), "required": False},
                ],
                "environment_output": str(output),
                "environment": {"FROM_SOURCE": "${B}-${NUMBER}"},
                "workers": {"web": {"command": IDLE}},
            },
            env={"CONFIG_JSON_B64": encoded, "D": "container"},
        )
        .start()
        .wait_ready()
    )
    found = environment_of(one.unit_pid("web"))
    assert [found[name] for name in "ABCD"] == ["file", "json", "b64", "container"]
    assert found["FROM_SOURCE"] == "json-5" and found["FLAG"] in ("true", "True")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    text = output.read_text()
    assert "A=file" in text.replace('"', "").replace("'", "") and "C=b64" in text.replace('"', "").replace("'", "")
    assert one.stop() == 0


def test_written_environment_is_read_back_unchanged_by_a_shell(container, tmp_path):
    hostile = {
        "Q": "a'b\"c",
        "D": "$HOME `id` \\ $(id)",
        "S": "two words",
        "N": "line1\nline2",
        "H": "x #y",
        "E": "",
        "U": "ü",
    }
    (tmp_path / "in.json").write_text(json.dumps(hostile))
    output = tmp_path / "written.env"
    one = (
        container(
            {
                "environment_sources": [{"json_file": str(tmp_path / "in.json")}],
                "environment_output": str(output),
                "workers": {"web": {"command": IDLE}},
            }
        )
        .start()
        .wait_ready()
    )
    assert one.stop() == 0
    again = (
        container(
            {"environment_sources": [{"file": str(output)}], "workers": {"web": {"command": IDLE}}},
            name="d",
        )
        .start()
        .wait_ready()
    )
    found = environment_of(again.unit_pid("web"))
    assert {name: found[name] for name in hostile} == hostile
    assert again.stop() == 0


@pytest.mark.parametrize("source", [{"json_base64": "!!!"}, {"json_base64": "e30"}, {"file": "/nonexistent/.env"}])
def test_a_bad_required_source_stops_the_boot(container, source):
    one = container({"environment_sources": [source], "workers": {"web": {"command": IDLE}}}).start()
    if source == {"json_base64": "e30"}:
        one.wait_ready()
        assert one.stop() == 0
    else:
        assert one.wait_exit() == 78, one.output


def test_templates_are_rendered_before_anything_starts(container, tmp_path):
    (tmp_path / "nginx.conf.in").write_text("listen ${PORT:-80}; root $document_root; name $${PORT};\n")
    target = tmp_path / "nginx.conf"
    one = (
        container(
            {
                "templates": [{"from": str(tmp_path / "nginx.conf.in"), "to": str(target), "mode": "0640"}],
                "workers": {"web": {"command": sh(f"cat {target}; sleep infinity")}},
            },
            env={"PORT": "8080"},
        )
        .start()
        .wait_ready()
    )
    assert target.read_text() == "listen 8080; root $document_root; name ${PORT};\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert one.stop() == 0


def test_overrides_from_the_environment(container):
    config = {"workers": {"web": {"command": IDLE, "stop_grace_period": "1h"}}}
    one = (
        container(
            config,
            env={
                "SLIPWAY__WORKERS__WEB__COMMAND": "/bin/sleep infinity",
                "SLIPWAY__NAME": "overridden",
                "SLIPWAY__WORKERS__WEB__REPLICAS": "2",
            },
        )
        .start()
        .wait_ready()
    )
    assert one.status()["container"]["name"] == "overridden"
    assert one.unit("web[1]")["state"] == "running"
    assert one.stop() == 0
    bad = container(config, env={"SLIPWAY__WORKERS__WEB__STOP_GRACE_PERIOD": "ten"}, name="bad").start()
    assert bad.wait_exit() == 78
    assert "SLIPWAY__WORKERS__WEB__STOP_GRACE_PERIOD" in bad.output


@pytest.mark.parametrize(
    "text",
    [
        '{"workers": {"job": {"type": "oneshot", "command": ["echo", "from-b64"]}}}',
        "workers:\n  job: {type: oneshot, command: echo from-b64}\n",
    ],
)
def test_configuration_from_a_base64_variable(container, text):
    one = container(env={"SLIPWAY_CONFIG_JSON_B64": base64.b64encode(text.encode()).decode()}).start()
    assert one.wait_exit() == 0, one.output
    assert "from-b64" in one.output


def test_configuration_by_variable_by_flag_and_in_the_working_directory(container, tmp_path):
    def job(word):
        return json.dumps({"workers": {"job": {"type": "oneshot", "command": ["echo", f"from-{word}"]}}})

    (tmp_path / "variable.json").write_text(job("variable"))
    (tmp_path / "flag.json").write_text(job("flag"))
    here = container(name="here")
    (here.directory / "slipway.yaml").write_text(job("directory"))
    assert here.start().wait_exit() == 0 and "from-directory" in here.output
    both = container(name="here", env={"SLIPWAY_CONFIG": str(tmp_path / "variable.json")}).start()
    assert both.wait_exit() == 0 and "from-variable" in both.output
    flag = container(
        name="here",
        env={"SLIPWAY_CONFIG": str(tmp_path / "variable.json")},
        arguments=["--config", tmp_path / "flag.json"],
    ).start()
    assert flag.wait_exit() == 0 and "from-flag" in flag.output
    absent = container(name="here", env={"SLIPWAY_CONFIG": str(tmp_path / "absent.json")}).start()
    assert absent.wait_exit() == 78, absent.output


def test_no_variable_can_change_the_files_structure(container):
    hostile = 'x\n  evil: {command: touch /tmp/evil}\n"}, "evil": {'
    one = (
        container(
            {
                "workers": {
                    "web": {"command": ["printf", "%s", "${HOSTILE}"], "type": "oneshot"},
                    "keep": {"command": IDLE},
                }
            },
            env={"HOSTILE": hostile},
        )
        .start()
        .wait_ready()
    )
    assert sorted(unit["name"] for unit in one.status()["units"]) == ["keep", "web"]
    assert one.stop() == 0


def test_a_required_variable_that_is_missing_is_told_in_the_users_words(container):
    one = container({"workers": {"web": {"command": ["echo", "${TOKEN:?set TOKEN to the API key}"]}}}).start()
    assert one.wait_exit() == 78
    assert "set TOKEN to the API key" in one.output


def test_check_says_what_run_would_say(container):
    one = container({"workers": {"web": {"comand": "x"}}})
    checked = subprocess.run([SLIPWAY, "check", "--config", one.config_path], capture_output=True, text=True)
    assert checked.returncode == 78
    one.start()
    assert one.wait_exit() == 78
    problem = next(line for line in (checked.stdout + checked.stderr).splitlines() if "comand" in line)
    assert problem.strip().split("slipway.json", 1)[1] in one.output


def test_a_marker_that_cannot_be_written_is_told_and_stops_nothing(container, tmp_path):
    (tmp_path / "not-a-directory").write_text("")
    one = container(
        {
            "markers": {"directory": str(tmp_path / "not-a-directory")},
            "workers": {"web": {"command": IDLE}},
        }
    ).start()
    one.wait_socket().wait_state("web", "running")
    wait_until(lambda: "not-a-directory: Not a directory" in one.output, "the complaint")
    assert one.stop() == 0, one.output
