"""Many workers are started, listed and stopped; `slipway scale` changes how many replicas run."""
import os
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


def replicas(one):
    return {unit["name"]: unit["pid"] for unit in one.status()["units"] if unit["worker"] == "web"}


def variables(one, name):
    return dict(
        entry.split("=", 1) for entry in open(f"/proc/{one.unit_pid(name)}/environ").read().split("\0") if "=" in entry
    )


def test_replicas_are_added_and_taken_away_from_the_end(container):
    config = {"workers": {"web": {"command": IDLE, "replicas": 2}, "proxy": {"command": IDLE, "depends_on": ["web"]}}}
    one = container(config).start().wait_ready()
    proxy = one.unit("proxy")["pid"]
    two = replicas(one)
    assert one.cli("scale", "web=4").stdout == "web: scale (2 -> 4)\n"
    four = replicas(one)
    assert sorted(four) == [f"web[{number}]" for number in range(4)]
    assert {name: four[name] for name in two} == two
    # What runs keeps the number of its start; what starts sees the new one.
    assert [variables(one, f"web[{number}]")["REPLICAS"] for number in range(4)] == ["2", "2", "4", "4"]
    assert variables(one, "web[3]")["REPLICA"] == "3"
    one.cli("scale", "web=1")
    assert replicas(one) == {"web": two["web[0]"]}
    assert one.unit("proxy")["pid"] == proxy
    assert len(children_of(one.pid)) == 2
    # Its lines and its name come back with it.
    one.cli("scale", "web=2")
    assert replicas(one)["web[0]"] == two["web[0]"]
    assert one.stop() == 0


def test_a_reload_sets_the_number_back_to_the_file(container):
    one = container({"workers": {"web": {"command": IDLE, "replicas": 2}}}).start().wait_ready()
    before = replicas(one)
    one.cli("scale", "web=3")
    assert one.cli("reload").stdout == "web: scale (3 -> 2)\n"
    assert replicas(one) == before
    assert one.stop() == 0


def test_scaling_to_nothing_stops_the_worker_unless_somebody_needs_it(container):
    workers = {"web": {"command": IDLE, "replicas": 2}, "other": {"command": IDLE}}
    one = container({"workers": workers}).start().wait_ready()
    assert one.cli("scale", "web=0").stdout == "web: stop (replicas)\n"
    assert one.state("web") == "inactive"
    one.cli("scale", "web=1")
    assert one.state("web") == "running"
    assert "there is no such worker" in one.cli("scale", "wbe=1", check=False).stderr
    assert one.cli("scale", "web=many", check=False).returncode == 64
    assert one.stop() == 0


def test_what_is_needed_cannot_be_scaled_to_nothing(container):
    workers = {"web": {"command": IDLE}, "proxy": {"command": IDLE, "depends_on": ["web"]}}
    one = container({"workers": workers}).start().wait_ready()
    refused = one.cli("scale", "web=0", check=False)
    assert refused.returncode == 1 and "'web' is disabled" in refused.stderr
    assert one.state("web") == "running"
    assert one.stop() == 0
