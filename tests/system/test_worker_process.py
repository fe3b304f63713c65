"""What a worker's process looks like from /proc: user, groups, directory, umask, environment, signals, descriptors."""
import grp
import os
import pwd
import signal

import pytest

from harness import wait_until
from processes import descriptors_of, environment_of, send_signal, signal_set, status_of
from programs import IDLE, sh


@pytest.fixture
def worker(container):
    """Starts one worker `w` and gives its container and PID."""

    def start(settings=None, **options):
        sections = options.pop("sections", {})
        one = (
            container({"workers": {"w": {"command": IDLE, **(settings or {})}}, **sections}, **options)
            .start()
            .wait_ready()
        )
        pid = one.unit_pid("w")
        wait_until(lambda: status_of(pid).get("Name") == "sleep", "the worker's program")
        return one, pid

    return start


def ids(status, field):
    return [int(word) for word in status[field].split()]


def test_user_by_name_gets_all_of_its_ids(worker):
    _, pid = worker({"user": "nobody"})
    account = pwd.getpwnam("nobody")
    status = status_of(pid)
    assert ids(status, "Uid") == [account.pw_uid] * 4
    assert ids(status, "Gid") == [account.pw_gid] * 4
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    environment = environment_of(pid)
    assert environment["HOME"] == account.pw_dir
    assert environment["USER"] == "nobody"


def test_groups_of_a_user_come_from_the_group_file(worker):
    member = next((g for g in grp.getgrall() if "postgres" in g.gr_mem), None)
    _, pid = worker({"user": "postgres"})
    expected = {pwd.getpwnam("postgres").pw_gid} | ({member.gr_gid} if member else set())
    assert expected <= set(ids(status_of(pid), "Groups")) | {ids(status_of(pid), "Gid")[0]}
    assert 0 not in ids(status_of(pid), "Groups")


def test_numeric_user_without_an_account_and_explicit_groups(worker):
    _, pid = worker({"user": "4242", "group": "4343", "supplementary_groups": ["4444", "daemon"]})
    status = status_of(pid)
    assert ids(status, "Uid") == [4242] * 4
    assert ids(status, "Gid") == [4343] * 4
    assert {4444, grp.getgrnam("daemon").gr_gid} <= set(ids(status, "Groups"))
    assert 0 not in ids(status, "Groups")


@pytest.mark.parametrize(
    "settings", [{"user": "no-such-user"}, {"group": "no-such-group"}, {"supplementary_groups": ["no-such-group"]}]
)
def test_unknown_accounts_fail_with_their_name_and_never_run_as_root(container, tmp_path, settings):
    one = container(
        {"workers": {"w": {"command": ["touch", str(tmp_path / "ran")], "restart": "no", **settings}}}
    ).start()
    assert one.wait_exit() not in (0, None)
    assert "no-such" in one.output
    assert not (tmp_path / "ran").exists()


def test_working_dir_and_umask(worker, tmp_path):
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    _, pid = worker({"working_dir": str(folder), "umask": "0027"})
    assert os.readlink(f"/proc/{pid}/cwd") == str(folder)
    assert status_of(pid)["Umask"] == "0027"


def test_a_missing_working_dir_is_named(container, tmp_path):
    one = container(
        {"workers": {"w": {"command": IDLE, "working_dir": str(tmp_path / "absent"), "restart": "no"}}}
    ).start()
    assert one.wait_exit() == 80, one.output
    assert str(tmp_path / "absent") in one.output


def test_environment_in_order_of_precedence(worker, tmp_path):
    low, high = tmp_path / "low.env", tmp_path / "high.env"
    low.write_text('FROM_LOW=low\nBOTH_FILES=low\nWORKER=low\n# comment\nexport QUOTED="a b"\n')
    high.write_text("BOTH_FILES=high\n")
    one, pid = worker(
        {"env_file": [str(low), str(high)], "environment": {"WORKER": "worker", "GLOBAL": "worker", "EMPTY": ""}},
        sections={"environment": {"GLOBAL": "global", "ONLY_GLOBAL": "global"}},
        env={"CONTAINER": "container", "ONLY_GLOBAL": "container"},
    )
    found = environment_of(pid)
    assert found["FROM_LOW"] == "low"
    assert found["BOTH_FILES"] == "high"
    assert found["WORKER"] == "worker"
    assert found["GLOBAL"] == "worker"
    assert found["ONLY_GLOBAL"] == "global"
    assert found["CONTAINER"] == "container"
    assert found["QUOTED"] == "a b"
    assert found["EMPTY"] == ""
    assert not any(name.startswith("SLIPWAY__") for name in found)


def test_signals_and_descriptors_are_clean(worker):
    one, pid = worker()
    status = status_of(pid)
    assert signal_set(status, "SigBlk") == set()
    assert signal_set(status, "SigIgn") == set(), signal_set(status, "SigIgn")
    assert signal_set(status, "SigCgt") == set()
    descriptors = descriptors_of(pid)
    assert set(descriptors) == {0, 1, 2}, descriptors
    assert descriptors[0] == "/dev/null"


def test_signals_are_clean_even_when_our_parent_spoiled_them(worker):
    def spoil():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGALRM])

    _, pid = worker(namespace=False, preexec_fn=spoil, restore_signals=False)
    status = status_of(pid)
    assert signal_set(status, "SigBlk") == set()
    assert signal_set(status, "SigIgn") == set()


def test_every_worker_leads_a_process_group_of_its_own(container):
    one = (
        container({"workers": {"a": {"command": IDLE}, "b": {"command": IDLE, "replicas": 2}}}, namespace=False)
        .start()
        .wait_ready()
    )
    for unit in one.status()["units"]:
        if unit["pid"]:
            assert os.getpgid(unit["pid"]) == unit["pid"], unit
    assert os.getpgid(one.pid) not in [unit["pid"] for unit in one.status()["units"]]
    assert one.stop() == 0


def test_a_string_command_is_split_without_a_shell(container, tmp_path):
    one = container(
        {"workers": {"job": {"type": "oneshot", "command": "printf '<%s>' \"a b\" c\\ d $HOME '*' \"$(id)\""}}}
    ).start()
    assert one.wait_exit() == 0, one.output
    assert "<a b><c d><$HOME><*><$(id)>" in one.output


def test_pid_1_itself_is_frugal_with_descriptors(container):
    """A dead worker leaves no descriptor behind."""
    one = (
        container({"workers": {"web": {"command": IDLE, "restart_delay": "1ms", "start_limit_burst": 1000}}})
        .start()
        .wait_ready()
    )
    before = len(descriptors_of(one.pid))
    for _ in range(10):
        pid = one.unit_pid("web")
        send_signal(pid, signal.SIGKILL, one.output)
        wait_until(lambda pid=pid: one.unit("web")["pid"] and one.unit_pid("web") != pid, "a new process")
    wait_until(
        lambda: len(descriptors_of(one.pid)) <= before,
        lambda: f"{before} descriptors again: {descriptors_of(one.pid)}",
        5,
    )
    assert one.stop() == 0
