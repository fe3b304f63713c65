"""A worker's limits, priority and privileges as the kernel has them in /proc, and what Slipway says when refused."""
import pathlib
import subprocess

import pytest

from harness import wait_until
from processes import alive, children_of, status_of
from programs import IDLE, python, sh

BIND = 1 << 10  # CAP_NET_BIND_SERVICE
CHOWN = 1 << 0
SETS = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
ALL_LIMITS = {
    "as": "Max address space", "core": "Max core file size", "cpu": "Max cpu time", "data": "Max data size",
    "fsize": "Max file size", "locks": "Max file locks", "memlock": "Max locked memory",
    "msgqueue": "Max msgqueue size", "nice": "Max nice priority", "nofile": "Max open files",
    "nproc": "Max processes", "rss": "Max resident set", "rtprio": "Max realtime priority",
    "rttime": "Max realtime timeout", "sigpending": "Max pending signals", "stack": "Max stack size",
}


@pytest.fixture
def start(container):
    """Starts one worker `w` and gives its container and its PID once the program runs."""

    def start(settings, **options):
        one = container({"workers": {"w": {"command": IDLE, **settings}}}, **options).start().wait_ready()
        pid = one.unit_pid("w")
        wait_until(lambda: status_of(pid).get("Name") == "sleep", "the worker's program")
        return one, pid

    return start


@pytest.fixture
def refused(container, tmp_path):
    """Starts a worker that must not run, and gives the exit code and what was printed."""

    def start(settings, **options):
        touch = ["touch", str(tmp_path / "ran")]
        one = container({"workers": {"w": {"command": touch, "restart": "no", **settings}}}, **options).start()
        code = one.wait_exit()
        assert not (tmp_path / "ran").exists(), one.output
        return code, one.output

    return start


def limits_of(pid):
    """/proc/PID/limits as {name: (soft, hard)}."""
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:26].strip(): tuple(line[26:].split()[:2]) for line in lines[1:]}


def niceness(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16])


def capabilities(pid):
    return {name: int(status_of(pid)[name], 16) for name in SETS}


def without(*names):
    """A wrapper that takes capabilities away from everything below it."""
    return ["setpriv", "--bounding-set", ",".join(f"-{name}" for name in names)]


def test_every_limit_can_be_set(start):
    def room(name, hard):
        return hard if hard == "unlimited" else int(hard)

    before = limits_of("self")
    lower = {name: 7 for name in ("locks", "msgqueue", "rss", "sigpending", "nproc", "core", "cpu")}
    lower |= {"as": 1 << 33, "data": 1 << 33, "fsize": 1 << 20, "memlock": 4096, "nofile": 64, "stack": 1 << 20}
    lower |= {"rttime": 12345, "nice": 0, "rtprio": 0}
    assert lower.keys() == ALL_LIMITS.keys()
    assert all(room(name, before[line][1]) == "unlimited" or lower[name] <= int(before[line][1])
               for name, line in ALL_LIMITS.items()), before
    _, pid = start({"ulimits": lower, "user": "nobody"})
    found = limits_of(pid)
    for name, line in ALL_LIMITS.items():
        assert found[line] == (str(lower[name]), str(lower[name])), name


def test_soft_and_hard_limits_differ_and_one_alone_stands_for_both(start):
    _, pid = start({"ulimits": {
        "nofile": {"soft": 100, "hard": 200}, "core": {"soft": 0, "hard": "unlimited"}, "nproc": {"hard": 50},
        "cpu": "unlimited", "fsize": -1, "RLIMIT_LOCKS": {"soft": 9}}})
    found = limits_of(pid)
    assert found["Max open files"] == ("100", "200")
    assert found["Max core file size"] == ("0", limits_of("self")["Max core file size"][1])
    assert found["Max processes"] == ("50", "50")
    assert found["Max cpu time"] == found["Max file size"] == ("unlimited", "unlimited")
    assert found["Max file locks"] == ("9", "9")


def test_limits_hold_for_the_worker_and_not_for_slipway(start):
    one, pid = start({"ulimits": {"nofile": 32}})
    assert limits_of(pid)["Max open files"] == ("32", "32")
    assert limits_of(one.pid)["Max open files"] == limits_of("self")["Max open files"]


def test_a_limit_above_the_containers_is_refused_with_its_name_and_the_way_out(refused):
    inner = ["prlimit", "--nofile=4000:4000", *without("sys_resource")]
    code, output = refused({"ulimits": {"nofile": 5000}}, inner=inner)
    assert code == 80, output
    assert "cannot set ulimits.nofile to soft 5000, hard 5000: Operation not permitted" in output
    assert "docker run --ulimit" in output


@pytest.mark.parametrize("value", [-7, 13])
def test_nice_is_absolute_and_set_before_the_user_changes(start, value):
    one, pid = start({"nice": value, "user": "nobody"}, inner=["nice", "-n", "3"])
    assert niceness(one.pid) == 3
    assert niceness(pid) == value
    assert status_of(pid)["Uid"].split()[0] != "0"


def test_a_nice_that_is_not_allowed_is_refused(refused):
    code, output = refused({"nice": -5}, inner=without("sys_nice"))
    assert code == 80, output
    assert "cannot set nice to -5: " in output and "CAP_SYS_NICE" in output


def test_oom_score_adj_is_set_before_the_user_changes(start):
    one, pid = start({"oom_score_adj": 500, "user": "nobody"})
    assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text() == "500\n"
    own = pathlib.Path("/proc/self/oom_score_adj").read_text()
    assert pathlib.Path(f"/proc/{one.pid}/oom_score_adj").read_text() == own


def test_an_oom_score_below_slipways_own_is_refused_without_the_capability(refused):
    code, output = refused({"oom_score_adj": -1000}, inner=without("sys_resource"))
    assert code == 80, output
    assert "cannot set oom_score_adj to -1000: Permission denied" in output and "CAP_SYS_RESOURCE" in output


def test_without_keys_root_keeps_its_sets_and_a_user_gets_none(container):
    workers = {"r": {"command": IDLE}, "u": {"command": IDLE, "user": "nobody"}}
    one = container({"workers": workers}).start().wait_ready()
    own = capabilities("self")
    root, user = one.unit_pid("r"), one.unit_pid("u")
    wait_until(lambda: all(status_of(pid).get("Name") == "sleep" for pid in (root, user)), "the programs")
    assert capabilities(root) == own
    assert capabilities(user) == {name: own["CapBnd"] if name == "CapBnd" else 0 for name in SETS}


def test_cap_add_gives_a_user_that_capability_in_every_set(start):
    _, pid = start({"user": "nobody", "cap_add": ["net_bind_service"]})
    assert capabilities(pid) == {**{name: BIND for name in SETS}, "CapBnd": capabilities("self")["CapBnd"]}


def test_drop_all_leaves_only_what_is_added(start):
    _, pid = start({"user": "4242", "cap_drop": ["all"], "cap_add": ["CAP_NET_BIND_SERVICE", "chown"]})
    assert capabilities(pid) == {name: BIND | CHOWN for name in SETS}


def test_drop_takes_from_root_for_good(start):
    _, pid = start({"cap_drop": ["CHOWN"]})
    own = capabilities("self")
    assert capabilities(pid) == {name: own[name] & ~CHOWN for name in SETS}


def test_drop_all_from_root_leaves_nothing(start):
    _, pid = start({"cap_drop": "all"})
    assert capabilities(pid) == {name: 0 for name in SETS}


def test_add_all_means_what_the_container_has(start):
    _, pid = start({"user": "nobody", "cap_add": "all", "cap_drop": "chown"})
    own = capabilities("self")["CapBnd"] & ~CHOWN
    assert capabilities(pid) == {name: own for name in SETS}


BINDS = python(
    """
    import os, socket, sys
    server = socket.socket()
    try:
        server.bind(("127.0.0.1", 80))
        print("bound as", os.getuid(), flush=True)
    except PermissionError:
        print("refused as", os.getuid(), flush=True)
    """
)


@pytest.mark.parametrize("settings, line", [
    ({"cap_add": ["net_bind_service"]}, "bound as 4242"),
    ({"cap_add": ["net_bind_service"], "cap_drop": ["all"], "no_new_privileges": True}, "bound as 4242"),
    ({}, "refused as 4242"),
], ids=["added", "only", "without"])
def test_a_user_with_net_bind_service_really_binds_a_low_port(container, settings, line):
    """In a network namespace of its own, where no port is open to everybody."""
    up = sh('echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start; ip link set lo up 2>/dev/null; exec "$0" "$@"')
    job = {"type": "oneshot", "command": BINDS, "user": "4242", **settings}
    one = container({"workers": {"job": job}}, inner=["unshare", "--net", *up]).start()
    assert one.wait_exit() == 0, one.output
    assert line in one.output


def test_a_capability_that_the_container_has_not_is_refused_by_name(refused):
    code, output = refused({"user": "nobody", "cap_add": ["net_raw", "chown"]}, inner=without("net_raw"))
    assert code == 80, output
    assert "cap_add: CAP_NET_RAW: Slipway does not have it itself" in output
    assert "CHOWN" not in output


def test_dropping_without_setpcap_is_refused_unless_nothing_can_be_gained(refused, start):
    code, output = refused({"cap_drop": "all"}, inner=without("setpcap"))
    assert code == 80, output
    assert "without CAP_SETPCAP" in output and "no_new_privileges: true" in output
    _, pid = start({"cap_drop": "all", "no_new_privileges": True}, name="d", inner=without("setpcap"))
    found = capabilities(pid)
    assert found["CapPrm"] == found["CapEff"] == found["CapAmb"] == 0, found


def test_slipway_as_an_ordinary_user_drops_what_it_was_given(start):
    """As podman gives it: a user with an ambient capability."""
    inner = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--inh-caps=+net_bind_service,+chown",
             "--ambient-caps=+net_bind_service,+chown", "--bounding-set=-all,+net_bind_service,+chown,+setpcap"]
    prepare = sh('chown -R 4242:4242 .; exec "$0" "$@"')
    settings = {"cap_drop": ["chown"], "no_new_privileges": True}
    one, pid = start(settings, inner=[*prepare, *inner])
    assert capabilities(one.pid)["CapEff"] == BIND | CHOWN
    found = capabilities(pid)
    assert found["CapEff"] == found["CapAmb"] == found["CapPrm"] == BIND, found


def test_no_new_privileges_is_set_for_the_worker_alone(start):
    one, pid = start({"no_new_privileges": True})
    assert status_of(pid)["NoNewPrivs"] == "1"
    assert status_of(one.pid)["NoNewPrivs"] == "0"


def test_no_new_privileges_makes_setuid_programs_ordinary(container, tmp_path):
    program = tmp_path / "id"
    subprocess.run(["cp", "/usr/bin/id", program], check=True)
    subprocess.run(["chmod", "4755", program], check=True)
    workers = {
        name: {"type": "oneshot", "user": "nobody", "command": [str(program), "-u"], "no_new_privileges": forbidden}
        for name, forbidden in (("free", False), ("bound", True))
    }
    workers["bound"]["depends_on"] = {"free": {"condition": "completed"}}
    one = container({"workers": workers, "logging": {"timestamps": False}}).start()
    assert one.wait_exit() == 0, one.output
    assert "free | 0\n" in one.output
    assert "bound | 65534\n" in one.output


def test_a_disabled_worker_never_runs_and_its_variable_decides(container, tmp_path):
    touch = {"type": "oneshot", "command": ["touch", str(tmp_path / "ran")], "enabled": "${JOB:-false}"}
    one = container({"workers": {"job": touch, "web": {"command": IDLE}}}).start().wait_ready()
    assert one.state("job") == "inactive"
    assert one.stop() == 0 and not (tmp_path / "ran").exists()
    two = container({"workers": {"job": touch}}, name="d", env={"JOB": "yes"}).start()
    assert two.wait_exit() == 0, two.output
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("code, expected", [(3, 0), (0, 0), (4, 4)])
def test_success_exit_status_lists_the_codes_that_are_no_failure(container, code, expected):
    job = {"type": "oneshot", "command": sh(f"exit {code}"), "success_exit_status": [0, 3]}
    assert container({"workers": {"job": job}}).start().wait_exit() == expected


@pytest.mark.parametrize("settings, uid, gid", [
    ({"user": "nobody:daemon"}, 65534, 1),
    ({"user": "4242:4343"}, 4242, 4343),
    ({"user": "4242"}, 4242, 0),
    ({"user": "4242", "group": "daemon"}, 4242, 1),
    ({"group": "4343"}, 0, 4343),
])
def test_user_and_group_by_name_or_number_with_and_without_an_entry(start, settings, uid, gid):
    one, pid = start(settings)
    status = status_of(pid)
    assert status["Uid"].split() == [str(uid)] * 4
    assert status["Gid"].split() == [str(gid)] * 4
    assert "0" not in status["Groups"].split() or uid == 0
    assert alive(one.pid) and pid in children_of(one.pid)
