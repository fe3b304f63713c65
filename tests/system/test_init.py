"""`slipway run -- CMD` as a plain init, with no configuration: what tini and dumb-init do, inside a namespace and outside."""
import json
import os
import signal
import subprocess

import pytest

from harness import SLIPWAY, wait_until
from processes import alive, children_of, descendants_of, signal_set, status_of, zombies_below
from programs import IDLE, Gate, Trace, python, sh


@pytest.fixture(params=[True, False], ids=["pid1", "subreaper"])
def init(request, container):
    """Starts a command under Slipway, as PID 1 and as an ordinary process."""

    def start(command, **options):
        return container(command=command, namespace=request.param, **options).start()

    return start


@pytest.mark.parametrize("code", [0, 1, 7, 64, 255])
def test_exit_code_of_the_command_is_the_containers(init, code):
    assert init(sh(f"exit {code}")).wait_exit() == code


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "USR1"])
def test_command_killed_by_a_signal_gives_128_plus_its_number(init, name):
    one = init(sh(f"ulimit -c 0; kill -{name} $$"))
    assert one.wait_exit() == 128 + getattr(signal, f"SIG{name}"), one.output


def test_every_signal_reaches_the_command_as_it_is(init):
    one = init(
        python(
            """
            import signal
            for name in "INT QUIT HUP USR1 USR2 WINCH TERM".split():
                signal.signal(getattr(signal, "SIG" + name), lambda number, frame: print("got", signal.Signals(number).name, flush=True))
            print("listening", flush=True)
            while True:
                signal.pause()
            """
        )
    )
    wait_until(lambda: "listening" in one.output, "the command")
    for name in ["HUP", "USR1", "USR2", "WINCH"]:
        one.signal(getattr(signal, f"SIG{name}"))
        wait_until(lambda name=name: f"got SIG{name}" in one.output, f"{name} to be forwarded")
        assert one.process.poll() is None


@pytest.mark.parametrize("name", ["INT", "QUIT", "TERM"])
def test_a_request_to_stop_reaches_the_command_as_that_signal(init, name):
    one = init(sh(f"trap 'echo got {name}; exit 0' {name}; echo listening; sleep infinity & wait"))
    wait_until(lambda: "listening" in one.output, "the command")
    one.signal(getattr(signal, f"SIG{name}"))
    assert one.wait_exit() == 0, one.output
    assert f"got {name}" in one.output


def test_a_command_that_dies_of_the_forwarded_term_gives_143_as_under_any_init(init):
    one = init(IDLE)
    wait_until(lambda: any(status_of(pid).get("Name") == "sleep" for pid in children_of(one.pid)), "the command")
    assert one.stop() == 143, one.output


def test_term_sent_before_the_command_exists_is_not_lost(container):
    """As PID 1 a signal without a handler vanishes in the kernel; from the first blocked signal on none may."""
    one = container(command=IDLE).start()

    def takes_term():
        status = status_of(one.pid)
        # Before exec it is the forked unshare, in which the C library blocks every signal for a moment.
        return status.get("Name") == "slipway" and signal.SIGTERM in (
            signal_set(status, "SigBlk") | signal_set(status, "SigCgt")
        )

    wait_until(takes_term, "PID 1 to take TERM")
    assert one.stop(20) in (0, 143), one.output


def test_arguments_arrive_verbatim(init):
    hostile = [
        "",
        " ",
        "$HOME",
        "${HOME}",
        "${NO_SUCH:?x}",
        "$$",
        "%s%n",
        "a\nb",
        "*",
        "'",
        '"',
        "\\",
        "ü☃",
        "--",
        "--config",
        "-h",
        "a=b",
    ]
    one = init(python("import json, sys; print('argv', json.dumps(sys.argv[1:]))", *hostile))
    assert one.wait_exit() == 0, one.output
    text = one.output.split("argv ", 1)[1].splitlines()[0]
    assert json.loads(text) == hostile


def test_standard_input_reaches_the_command(init):
    one = init(["cat"], stdin=subprocess.PIPE)
    one.process.stdin.write(b"a line from outside\n")
    one.process.stdin.close()
    assert one.wait_exit() == 0
    assert "a line from outside" in one.output


def test_environment_and_directory_are_the_containers(init):
    one = init(sh('echo "dir=$PWD value=$SOME_VALUE"'), env={"SOME_VALUE": "with space $x %"})
    assert one.wait_exit() == 0
    assert f"dir={one.directory} value=with space $x %" in one.output


def test_unknown_command_says_so_and_ends_with_80(init):
    one = init(["/nonexistent/program", "x"])
    assert one.wait_exit() == 80, one.output
    assert "/nonexistent/program" in one.output and "No such file" in one.output


def test_a_name_on_path_is_found_and_an_unknown_one_is_not(container):
    assert container(command=["true"], name="a").start().wait_exit() == 0
    one = container(command=["no-such-program-anywhere"], name="b").start()
    assert one.wait_exit() == 80, one.output
    assert "no-such-program-anywhere" in one.output


def test_a_file_that_may_not_be_executed_says_so(container, tmp_path):
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    one = container(command=[tmp_path / "plain"]).start()
    assert one.wait_exit() == 80, one.output
    assert "Permission denied" in one.output


def test_outside_of_pid_1_it_warns_exactly_once_and_as_pid_1_never(container):
    outside = container(command=["true"], namespace=False, name="a").start()
    assert outside.wait_exit() == 0
    assert len([line for line in outside.output.splitlines() if "subreaper" in line]) == 1, outside.output
    inside = container(command=["true"], name="b").start()
    assert inside.wait_exit() == 0
    assert "subreaper" not in inside.output


def test_a_daemon_in_a_session_of_its_own_is_gone_when_slipway_exits(init, tmp_path):
    one = init(
        sh(
            f"setsid -f sh -c 'trap \"\" HUP; sleep infinity & sleep infinity' ; echo started; read x < {Gate(tmp_path / 'gate').path}"
        )
    )
    wait_until(lambda: "started" in one.output and len(descendants_of(one.pid)) >= 4, "the daemon")
    pids = descendants_of(one.pid)
    assert one.stop() == 143, one.output
    wait_until(lambda: not any(alive(pid) for pid in pids), "the daemon to be gone", 5)


def test_orphans_are_reaped_while_the_command_runs(init):
    one = init(
        sh("for i in $(seq 200); do (true &) ; done; echo all-forked; trap 'exit 0' TERM; sleep infinity & wait")
    )
    wait_until(lambda: "all-forked" in one.output, "200 orphans")
    wait_until(lambda: not zombies_below(one.pid), "no zombies", 10)
    assert one.stop() == 0, one.output


def test_20000_orphans_are_reaped_and_never_pile_up(init):
    """Each is forked by a parent that ends at once; the parent's own parent waits for it."""
    one = init(
        [
            "/usr/bin/perl",
            "-MPOSIX",
            "-e",
            "$| = 1; for (1..20000) { my $p = fork; if (!$p) { fork; POSIX::_exit(0) } waitpid $p, 0 } "
            '$SIG{TERM} = sub { exit 0 }; print "all-forked\\n"; sleep',
        ],
    )
    most = 0

    def forked():
        nonlocal most
        most = max(most, len(children_of(one.pid)))
        return "all-forked" in one.output

    wait_until(forked, "20,000 orphans", 240)
    wait_until(lambda: len(children_of(one.pid)) == 1, "the last orphan to be reaped", 10)
    print(f"most children of PID 1 at once: {most}")
    assert most < 1000
    assert one.stop() == 0, one.output


def test_an_invalid_configuration_starts_no_command(container, tmp_path):
    one = container({"workers": {"web": {"comand": "x"}}}, command=["touch", tmp_path / "ran"]).start()
    assert one.wait_exit() == 78, one.output
    assert "comand" in one.output and "did you mean 'command'" in one.output
    assert not (tmp_path / "ran").exists()


def test_command_beside_workers_ends_the_container_and_stops_them_politely(container, tmp_path):
    trace = Trace(tmp_path / "trace")
    gate = Gate(tmp_path / "gate")
    one = container(
        {"workers": {"side": {"command": trace.on_term("side")}}}, command=sh(f"read x < {gate.path}; exit 9")
    ).start()
    trace.wait_for("up-side")
    gate.open()
    assert one.wait_exit() == 9, one.output
    assert trace.words()[-1] == "side"


def test_runs_as_an_arbitrary_user_without_any_right(container, tmp_path):
    """Nothing of the default directories can be made: a plain command needs none of them."""
    one = container(
        command=sh("id -u; exit 5"),
        inner=["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"],
        env={
            "SLIPWAY__CONTROL__SOCKET": "/run/slipway/control.sock",
            "SLIPWAY__MARKERS__DIRECTORY": "/run/slipway/markers",
            "SLIPWAY__STATE_DIR": "/var/lib/slipway",
        },
    ).start()
    assert one.wait_exit() == 5, one.output
    assert "54321" in one.output


def test_inherited_signal_state_does_not_matter(container):
    """A parent that ignores CHLD makes the kernel reap in our place, one that blocks TERM makes us deaf."""

    def spoil():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))

    ended = container(command=sh("exit 6"), namespace=False, name="a", preexec_fn=spoil).start()
    assert ended.wait_exit() == 6, ended.output
    stopped = container(
        command=sh("trap 'exit 0' TERM; echo listening; sleep infinity & wait"),
        namespace=False,
        name="b",
        preexec_fn=spoil,
    ).start()
    wait_until(lambda: "listening" in stopped.output, "the command")
    assert stopped.stop(20) == 0, stopped.output


def test_closed_standard_descriptors_are_survived(container):
    def close():
        for descriptor in (0, 1, 2):
            os.close(descriptor)

    one = container(command=sh("exit 6"), namespace=False, preexec_fn=close).start()
    assert one.wait_exit() == 6


@pytest.mark.parametrize("words", [["run", "--no-such-flag"], ["no-such-command"], ["run", "--config"]])
def test_a_wrong_command_line_is_64(words):
    done = subprocess.run([SLIPWAY, *words], capture_output=True, text=True)
    assert done.returncode == 64, done
    assert done.stderr


def test_nothing_to_run_is_a_configuration_error(container):
    one = container().start()
    assert one.wait_exit() in (64, 78), one.output
    assert one.output.strip()
