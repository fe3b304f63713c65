"""300 workers are started, listed and stopped."""
import time

from processes import children_of, descriptors_of
from programs import IDLE

COUNT = 300


def test_300_workers_are_started_listed_and_stopped(container):
    workers = {f"w{number:03}": {"command": IDLE} for number in range(COUNT - 100)}
    workers["many"] = {"command": IDLE, "replicas": 100}
    began = time.monotonic()
    one = container({"workers": workers}).start().wait_ready(120)
    started = time.monotonic() - began
    units = one.status()["units"]
    assert len(units) == COUNT
    assert {unit["state"] for unit in units} == {"running"}
    assert len({unit["pid"] for unit in units}) == COUNT
    assert len(children_of(one.pid)) == COUNT
    text = one.cli("status").stdout
    assert all(f"w{number:03}" in text for number in range(COUNT - 100)) and "many[99]" in text
    one.cli("restart", "many", timeout=120)
    assert {unit["restarts"] for unit in one.status()["units"] if unit["worker"] == "many"} <= {0, 1}
    assert len(descriptors_of(one.pid)) < 3 * COUNT + 50
    began = time.monotonic()
    assert one.stop(60) == 0
    print(f"{COUNT} workers: ready after {started:.2f} s, stopped after {time.monotonic() - began:.2f} s")


def test_300_workers_in_a_chain_start_and_stop_in_order(container, tmp_path):
    workers = {
        f"w{number:03}": {"command": IDLE, "depends_on": [f"w{number - 1:03}"] if number else []}
        for number in range(COUNT)
    }
    one = container({"logging": {"format": "json"}, "workers": workers}).start().wait_ready(120)
    started = [record["unit"] for record in one.events("unit.started")]
    assert started == sorted(workers)
    assert one.stop(60) == 0
    stopping = [record["unit"] for record in one.events("unit.stopping")]
    assert stopping == sorted(workers, reverse=True)


def test_a_worker_beyond_the_descriptor_limit_fails_alone(container):
    """The soft limit is low: pipes run out, PID 1 says so and goes on."""
    workers = {f"w{number:03}": {"command": IDLE, "critical": False, "restart": "no"} for number in range(100)}
    one = container({"workers": workers}, inner=["prlimit", "--nofile=64:64"]).start().wait_socket(60)
    states = {unit["state"] for unit in one.status()["units"]}
    assert "running" in states
    assert one.stop(60) == 0, one.output
