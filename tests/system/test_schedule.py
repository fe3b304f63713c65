"""Jobs on a schedule: real processes at short intervals, and the time of day as far as a test may wait for it."""
import datetime
import json
import subprocess

import pytest

from harness import SLIPWAY, wait_until
from processes import children_of
from programs import IDLE, Gate, Trace, sh


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


def job(command, **schedule):
    return {"command": command, "schedule": schedule}


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_job_runs_at_its_interval_and_counts_for_no_readiness(container, trace):
    work = job(sh(f"echo run >> {trace.path}; exit 3"), every="200ms")
    one = container({"logging": {"format": "json"}, "workers": {"web": {"command": IDLE}, "job": work}}).start()
    one.wait_ready()
    wait_until(lambda: len(trace.words()) >= 4, lambda: trace.words())
    starts = [when(record["time"]).timestamp() for record in one.events("unit.started", "job")]
    gaps = [later - earlier for earlier, later in zip(starts, starts[1:])]
    assert min(gaps) > 0.1 and sum(gaps) / len(gaps) < 1, gaps
    assert one.events("run.failed", "job") and not one.events("container.stopping")
    assert one.marker("ready")
    assert one.stop() == 0


def test_status_shows_the_next_and_the_last_run(container, trace):
    jobs = {
        "often": job(sh(f"echo run >> {trace.path}"), every="300ms"),
        "nightly": {"command": ["true"], "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"}},
    }
    one = container({"workers": jobs}).start().wait_socket()
    trace.wait_for("run")
    often = wait_until(lambda: (unit := one.unit("often"))["last_run"] and unit, "a run")
    assert often["kind"] == "scheduled"
    assert 0 < (when(often["next_run"]) - when(often["last_run"])).total_seconds() <= 0.7
    nightly = one.unit("nightly")
    assert nightly["state"] == "scheduled" and nightly["last_run"] is None
    due = when(nightly["next_run"])
    zone = subprocess.run(["date", "-d", f"@{int(due.timestamp())}", "+%H:%M:%S"], env={"TZ": "Europe/Berlin"},
                          capture_output=True, text=True).stdout.strip()
    assert zone == "03:00:00"
    assert due > datetime.datetime.now(datetime.timezone.utc)
    text = one.cli("status").stdout
    assert "next in" in text and "last" in text
    assert one.stop() == 0


def test_forbid_skips_and_counts_while_a_run_is_not_over(container, trace):
    work = job(sh(f"echo run >> {trace.path}; sleep infinity"), every="150ms")
    one = container({"workers": {"job": work}}).start().wait_socket()
    wait_until(lambda: one.unit("job")["skipped_runs"] >= 3, "skipped runs")
    assert trace.words() == ["run"]
    assert len(children_of(one.pid)) == 1
    assert "run skipped: its last run is not over" in one.output
    assert one.stop() == 0


def test_replace_stops_the_old_run_before_the_next_one(container, trace):
    script = f"trap 'echo end >> {trace.path}; exit 0' TERM; echo begin >> {trace.path}; sleep infinity & wait"
    one = container({"workers": {"job": job(sh(script), every="300ms", overlap="replace")}}).start().wait_socket()
    wait_until(lambda: trace.words().count("begin") >= 4, lambda: trace.words())
    assert one.stop() == 0
    words = trace.words()
    assert words == ["begin", "end"] * (len(words) // 2), "never two at a time"


def test_allow_runs_as_many_as_it_may(container):
    one = container({"workers": {"job": job(IDLE, every="100ms", overlap="allow", max_runs=3)}}).start().wait_socket()
    wait_until(lambda: one.unit("job[0]")["skipped_runs"] >= 2, "skipped runs")
    units = one.status()["units"]
    assert len({unit["pid"] for unit in units if unit["pid"]}) == 3
    assert len(children_of(one.pid)) == 3
    assert one.stop() == 0


def test_a_job_waits_for_what_it_depends_on(container, trace, tmp_path):
    gate = Gate(tmp_path / "gate")
    workers = {
        "first": {"command": sh(f"read line < {gate.path}; echo first >> {trace.path}"), "type": "oneshot"},
        "job": {**job(sh(f"echo job >> {trace.path}"), every="100ms", run_at_boot=True),
                "depends_on": {"first": {"condition": "completed"}}},
    }
    one = container({"workers": workers}).start().wait_socket()
    one.wait_state("job", "waiting")
    assert trace.words() == []
    gate.open()
    trace.wait_for("job")
    assert trace.words()[0] == "first"
    assert one.stop() == 0


def test_run_at_boot_runs_once_at_once(container, trace):
    one = container({"workers": {"job": job(sh(f"echo run >> {trace.path}"), every="1h", run_at_boot=True)}}).start()
    one.wait_socket()
    one.wait_state("job", "scheduled")
    trace.wait_for("run")
    assert trace.words() == ["run"]
    assert one.stop() == 0


def test_jitter_delays_runs_within_its_bound(container, trace):
    work = job(sh(f"echo run >> {trace.path}"), every="500ms", jitter="400ms")
    one = container({"logging": {"format": "json"}, "workers": {"job": work}}).start()
    wait_until(lambda: len(trace.words()) >= 5, lambda: trace.words())
    assert one.stop() == 0
    starts = [when(record["time"]).timestamp() for record in one.events("unit.started", "job")]
    phases = [(start - starts[0]) % 0.5 for start in starts]
    assert max(phases) - min(phases) > 0.01, "no two runs would be as regular by chance"


def test_start_runs_a_job_now_and_tells_how_it_ended(container, trace):
    jobs = {"good": job(sh(f"echo good >> {trace.path}"), cron="0 0 1 1 *"),
            "bad": job(sh("exit 7"), cron="0 0 1 1 *"),
            "many": job(sh(f"echo many >> {trace.path}"), cron="@yearly", overlap="allow", max_runs=3)}
    one = container({"workers": jobs}).start().wait_socket()
    one.cli("start", "good")
    assert trace.words() == ["good"]
    failed = one.cli("start", "bad", check=False)
    assert failed.returncode != 0 and "exited with code 7" in failed.stderr + failed.stdout
    one.cli("start", "many")
    assert trace.words() == ["good", "many"], "one run, not one of each instance"
    assert one.stop() == 0


def test_stop_suspends_a_job_until_it_is_started(container, trace):
    one = container({"workers": {"web": {"command": IDLE},
                                 "job": job(sh(f"echo run >> {trace.path}"), every="100ms")}}).start().wait_socket()
    trace.wait_for("run")
    one.cli("stop", "job")
    unit = one.unit("job")
    assert unit["state"] == "inactive" and unit["next_run"] is None
    before = len(trace.words())
    one.cli("start", "job")
    wait_until(lambda: len(trace.words()) >= before + 3, "the schedule to go on")
    assert one.stop() == 0


def test_a_critical_job_that_fails_stops_the_container(container):
    work = {**job(sh("exit 9"), every="100ms"), "critical": True}
    one = container({"workers": {"web": {"command": IDLE}, "job": work}}).start()
    assert one.wait_exit() == 9
    assert one.marker("failed")["unit"] == "job"


def test_a_failed_run_is_tried_again_by_its_restart_policy(container, trace):
    script = f"echo try >> {trace.path}; [ $(wc -l < {trace.path}) -ge 3 ]"
    work = {**job(sh(script), cron="@yearly"), "restart": "on-failure", "restart_delay": "10ms"}
    one = container({"workers": {"job": work}}).start().wait_socket()
    one.cli("start", "job")
    assert trace.words() == ["try"] * 3
    assert one.unit("job")["restarts"] == 2
    assert one.stop() == 0


def test_a_run_that_takes_too_long_is_ended(container):
    work = {**job(IDLE, cron="@yearly"), "start_timeout": "200ms"}
    one = container({"workers": {"job": work}}).start().wait_socket()
    failed = one.cli("start", "job", check=False)
    assert failed.returncode != 0 and "did not finish within" in failed.stderr + failed.stdout
    assert children_of(one.pid) == []
    assert one.stop() == 0


def test_plan_tells_the_schedule(tmp_path):
    path = tmp_path / "slipway.json"
    path.write_text(json.dumps({"workers": {"job": job(["true"], cron="*/5 * * * *", timezone="America/New_York")}}))
    text = subprocess.run([SLIPWAY, "plan", "--config", path], capture_output=True, text=True).stdout
    assert "*/5 * * * * (America/New_York), overlap: forbid" in text


def test_without_a_zone_database_utc_works_and_another_zone_is_refused(tmp_path):
    def check(zone):
        path = tmp_path / "slipway.json"
        path.write_text(json.dumps({"workers": {"job": job(["true"], cron="@daily", timezone=zone)}}))
        return subprocess.run([SLIPWAY, "check", "--config", path], capture_output=True, text=True,
                              env={"TZDIR": str(tmp_path / "absent")})

    assert check("UTC").returncode == 0
    refused = check("Asia/Tokyo")
    assert refused.returncode == 78
    assert "install tzdata, or use UTC" in refused.stderr + refused.stdout
