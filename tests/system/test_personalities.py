"""Invoked as tini or dumb-init, slipway does what that program does: each test runs with the original and with ours."""
import fcntl
import os
import pathlib
import pty
import re
import signal
import subprocess
import termios

import pytest

from harness import SLIPWAY, wait_until
from inits import Init, listener, program_of
from processes import children_of, descendants_of, descriptors_of, environment_of, signal_set, status_of, zombies_below
from programs import IDLE, sh

WHO = ["original", "slipway"]


@pytest.fixture(params=WHO)
def who(request):
    return request.param


@pytest.fixture
def run(who, tmp_path):
    """Starts `tini` or `dumb-init` (the first word) with the rest as its arguments."""
    made = []

    def start(name, *words, **options):
        one = Init(program_of(who, name, tmp_path), words, tmp_path, **options)
        made.append(one)
        return one

    yield start
    for one in made:
        one.end()


def ids(pid):
    """Process group and session."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[2]), int(fields[3])


def state(pid):
    return status_of(pid).get("State", "?")[0]


def after_exec(init, name="sleep"):
    """The command's PID, once it is the program of that name."""
    pid = init.command()
    wait_until(lambda: status_of(pid).get("Name") == name, "the command's program")
    return pid


def left_by(init):
    """The PID that the command printed as `left PID`."""
    return int(wait_until(lambda: re.search(r"^left (\d+)$", init.output, re.MULTILINE), lambda: init.output, 20)[1])


BOTH = pytest.mark.parametrize("words", [["tini", "-s", "--"], ["dumb-init", "--"]], ids=["tini", "dumb-init"])


@BOTH
@pytest.mark.parametrize("namespace", [True, False], ids=["pid1", "plain"])
@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137),
                                          ("kill -TERM $$", 143)])
def test_exit_code_is_the_commands_or_128_and_the_signal(run, words, namespace, script, code):
    assert run(*words, *sh(script), namespace=namespace).wait() == code


@pytest.mark.parametrize("words, command, code", [
    (["tini", "-s", "--"], "no-such-program", 127), (["tini", "-s", "--"], "/no/such/program", 127),
    (["tini", "-s", "--"], "/etc/passwd", 126), (["tini", "-s", "--"], "/usr", 126),
    (["tini", "-se", "127", "--"], "no-such-program", 0),
    (["dumb-init"], "no-such-program", 2), (["dumb-init", "-c"], "/etc/passwd", 2)])
def test_a_command_that_cannot_be_executed_is_named(run, words, command, code):
    init = run(*words, command)
    assert init.wait() == code
    assert command in init.output


@BOTH
def test_a_script_without_an_interpreter_line_is_run_by_the_shell(run, words, tmp_path):
    script = tmp_path / "script"
    script.write_text('echo "ran with $1"\nexit 5\n')
    script.chmod(0o755)
    init = run(*words, "script", "a b", env={"PATH": ".:" + os.environ["PATH"]})
    assert init.wait() == 5
    assert "ran with a b" in init.output


@BOTH
def test_the_command_gets_environment_directory_and_descriptors_unchanged(run, words, tmp_path):
    with open(tmp_path / "extra", "w+") as extra:
        init = run(*words, *IDLE, env={"A": "1", "TINI": "x y"}, pass_fds=[extra.fileno()])
        pid = after_exec(init)
        # The kernel names the program a moment before it shows the environment.
        found = wait_until(lambda: environment_of(pid), "the environment")
        assert found == {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "A": "1", "TINI": "x y"}
        assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path)
        # Its loader has a library open for a moment.
        wait_until(lambda: set(descriptors_of(pid)) == {0, 1, 2, extra.fileno()}, lambda: descriptors_of(pid), 10)


@BOTH
def test_orphans_are_reaped_by_pid_1(run, words):
    init = run(*words, *sh("for i in 1 2 3; do (sleep infinity &); done; echo done; exec sleep infinity"),
               namespace=True)
    command = init.wait_for("done").command()
    orphans = [pid for pid in wait_until(lambda: children_of(init.pid)[3:] and children_of(init.pid), "the adoption")
               if pid != command]
    assert len(orphans) == 3
    for pid in orphans:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: children_of(init.pid) == [command] and not zombies_below(init.pid), "no zombie", 10)


@pytest.mark.parametrize("words, code", [
    (["tini", "-e", "3", "--", *sh("exit 3")], 0), (["tini", "-e", "3", "--", *sh("exit 4")], 4),
    (["tini", "-e", "3", "-e", "143", "--", *sh("kill $$")], 0), (["tini", "-e3", "--", *sh("exit 3")], 0)])
def test_tini_remaps_exit_codes(run, words, code):
    assert run(*words).wait() == code


@pytest.mark.parametrize("words", [
    ["tini"], ["tini", "--"], ["tini", "-x"], ["tini", "-p"], ["tini", "-p", "FOO", "--", "true"],
    ["tini", "-e", "256", "--", "true"], ["tini", "-e", "x", "--", "true"], ["tini", "--version", "true"],
    ["dumb-init"], ["dumb-init", "-x", "true"], ["dumb-init", "-r"], ["dumb-init", "-r", "a", "true"],
    ["dumb-init", "-r", "0:1", "true"], ["dumb-init", "-r", "15:32", "true"], ["dumb-init", "--no-such", "true"]],
    ids=" ".join)
def test_misuse_ends_with_1_and_a_text_and_runs_nothing(run, words, tmp_path):
    init = run(*[str(tmp_path / "ran") if word == "true" else word for word in words])
    assert init.wait() == 1
    assert init.output


@pytest.mark.parametrize("words, stream", [
    (["tini", "-h"], "out"), (["tini", "--version"], "out"), (["tini", "-l"], "out"), (["tini", "true", "-h"], "out"),
    (["dumb-init", "-h"], "err"), (["dumb-init", "--help"], "err"), (["dumb-init", "-V"], "err"),
    (["dumb-init", "--version"], "err")], ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_information_goes_to_the_same_stream_with_exit_code_0(run, words, stream, tmp_path):
    init = run(*words, stderr=open(tmp_path / "error", "wb"))
    assert init.wait() == 0
    texts = {"out": init.output, "err": (tmp_path / "error").read_text()}
    assert words[0] in texts.pop(stream) or words[1] == "-l"
    assert not texts.popitem()[1]


def test_dumb_init_leaves_the_commands_options_alone(run):
    init = run("dumb-init", "printf", "%s", "-h")
    assert init.wait() == 0 and init.output == "-h"


def test_tini_gives_the_command_its_own_group_in_the_same_session(run):
    init = run("tini", "-s", "--", *IDLE)
    pid = after_exec(init)
    assert ids(pid) == (pid, os.getsid(0))


def test_tini_hands_on_the_signal_state_that_it_got(run):
    def spoil():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    init = run("tini", "-s", "--", *IDLE, preexec_fn=spoil, restore_signals=True)
    status = status_of(after_exec(init))
    assert signal_set(status, "SigIgn") == {signal.SIGHUP}
    assert signal_set(status, "SigBlk") == {signal.SIGUSR1}


def test_dumb_init_gives_the_command_clean_signals(run):
    def spoil():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    status = status_of(after_exec(run("dumb-init", *IDLE, preexec_fn=spoil)))
    assert signal_set(status, "SigIgn") == signal_set(status, "SigBlk") == set()


@pytest.mark.parametrize("namespace", [True, False], ids=["pid1", "plain"])
@pytest.mark.parametrize("name, numbers", [
    ("tini", [1, 2, 3, 10, 12, 13, 14, 15, 16, 18, 20, 23, 28, 29, 34, 40, 64]),
    ("dumb-init", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 18, 23, 24, 25, 26, 27, 28, 29, 30, 31])])
def test_every_signal_reaches_the_command_as_it_is(run, namespace, name, numbers):
    init = run(name, "--", *listener(), namespace=namespace).wait_for("listening")
    for count, number in enumerate(numbers):
        init.signal(number)
        wait_until(lambda count=count: len(init.heard()) > count, f"signal {number}; {init.output}", 10)
    assert init.heard() == numbers


@pytest.mark.parametrize("words, env, both", [
    (["tini", "-s"], {}, False), (["tini", "-sg"], {}, True),
    (["tini", "-s"], {"TINI_KILL_PROCESS_GROUP": ""}, True),
    (["dumb-init"], {}, True), (["dumb-init", "-c"], {}, False), (["dumb-init", "--single-child"], {}, False),
    (["dumb-init"], {"DUMB_INIT_SETSID": "0"}, False), (["dumb-init"], {"DUMB_INIT_SETSID": "1"}, True)])
def test_signals_go_to_the_command_alone_or_to_its_whole_group(run, words, env, both):
    """The command itself is a shell that waits for two listeners, and ignores what they hear."""
    shell = sh("trap 'echo shell' USR1; \"$@\" & \"$@\" & while true; do wait; done")
    init = run(*words, "--", *shell, "-", *listener(), env=env)
    wait_until(lambda: init.output.count("listening") == 2, lambda: init.output)
    init.signal(signal.SIGUSR1)
    init.wait_for("shell")
    if both:
        wait_until(lambda: init.heard() == [signal.SIGUSR1] * 2, lambda: init.output, 10)
    else:
        init.signal(signal.SIGUSR1)
        wait_until(lambda: init.output.count("shell") == 2, lambda: init.output, 10)
        assert init.heard() == []


@pytest.mark.parametrize("words, env, adopts", [
    (["tini"], {}, False), (["tini", "-s"], {}, True), (["tini"], {"TINI_SUBREAPER": ""}, True),
    (["dumb-init"], {}, False)])
def test_orphans_are_adopted_only_when_asked_for(run, words, env, adopts):
    init = run(*words, "--", *sh("(sleep infinity & echo left $!); exec sleep infinity"), env=env)
    orphan = left_by(init)
    try:
        wait_until(lambda: int(status_of(orphan)["PPid"]) not in descendants_of(init.pid), "the orphan's new parent")
        assert (int(status_of(orphan)["PPid"]) == init.pid) is adopts
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_tini_warns_when_it_cannot_reap_and_verbosity_0_silences_it(run):
    quiet = run("tini", "--", "true", env={"TINI_VERBOSITY": "0"})
    assert quiet.wait() == 0 and quiet.output == ""
    loud = run("tini", "--", "true")
    assert loud.wait() == 0 and "TINI_SUBREAPER" in loud.output


@pytest.mark.parametrize("option, warned", [("-s", False), ("-sw", True)])
def test_tini_warns_of_reaped_orphans_when_asked(run, option, warned):
    init = run("tini", option, "--", *sh("mkfifo gate; (sleep infinity & echo left $!); read line < gate; echo over"))
    orphan = left_by(init)
    wait_until(lambda: status_of(orphan).get("PPid") == str(init.pid), "the adoption")
    os.kill(orphan, signal.SIGKILL)
    wait_until(lambda: not status_of(orphan), "the orphan to be reaped")
    (init.log_path.parent / "gate").write_text("go\n")
    assert init.wait() == 0
    said = init.output.split("\n", 1)[1].replace("over\n", "")
    assert (str(orphan) in said) is warned, init.output
    assert bool(said) is warned


@pytest.mark.parametrize("words, env, more", [
    (["tini", "-s"], {}, False), (["tini", "-svv"], {}, True), (["tini", "-s"], {"TINI_VERBOSITY": "3"}, True),
    (["dumb-init"], {}, False), (["dumb-init", "-v"], {}, True), (["dumb-init", "--verbose"], {}, True),
    (["dumb-init"], {"DUMB_INIT_DEBUG": "1"}, True), (["dumb-init"], {"DUMB_INIT_DEBUG": "yes"}, False)])
def test_verbose_says_what_is_done(run, words, env, more):
    init = run(*words, "--", "true", env=env)
    assert init.wait() == 0
    assert bool(init.output) is more, init.output


def test_tini_hears_of_its_parents_death(run, who, tmp_path):
    """A shell starts tini and dies; -p turns that into a signal, which is forwarded."""
    program = program_of(who, "tini", tmp_path)
    words = [program, "-s", "-p", "SIGUSR2", "--", *listener(signal.SIGUSR2)]
    outer = run("tini", "-s", "--", *sh('"$@" & exec sleep infinity'), "-", *words).wait_for("listening")
    os.kill(outer.command(), signal.SIGKILL)
    outer.wait()
    wait_until(lambda: outer.heard() == [signal.SIGUSR2], lambda: outer.output, 10)


@pytest.mark.parametrize("rewrites, sent, heard", [
    (["-r", "15:3"], 15, 3), (["-r", "1:10", "-r", "15:12"], 15, 12), (["--rewrite", "28:2"], 28, 2),
    (["--rewrite=10:10"], 10, 10), (["-c", "-r", "15:1"], 15, 1)])
def test_dumb_init_rewrites_signals(run, rewrites, sent, heard):
    init = run("dumb-init", *rewrites, *listener(heard)).wait_for("listening")
    init.signal(sent)
    assert init.wait() == 0, init.output
    assert init.heard() == [heard]


def test_dumb_init_drops_a_signal_rewritten_to_0(run):
    init = run("dumb-init", "-r", "15:0", *listener(signal.SIGUSR1)).wait_for("listening")
    init.signal(signal.SIGTERM)
    init.signal(signal.SIGUSR1)
    assert init.wait() == 0
    assert init.heard() == [signal.SIGUSR1]


def test_dumb_init_makes_a_session_and_leaves_the_directory(run):
    init = run("dumb-init", *IDLE)
    pid = after_exec(init)
    assert ids(pid) == (pid, pid)
    wait_until(lambda: os.readlink(f"/proc/{init.pid}/cwd") == "/", "dumb-init in /")


def test_dumb_init_with_a_single_child_stays_in_group_and_session(run):
    init = run("dumb-init", "-c", *IDLE)
    assert ids(after_exec(init)) == ids(init.pid)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_dumb_init_is_suspended_with_its_session_and_resumes_with_cont(run, number):
    init = run("dumb-init", *sh("sleep infinity & exec sleep infinity"))
    pid = after_exec(init)
    group = [pid, *wait_until(lambda: children_of(pid), "the other member")]
    init.signal(number)
    wait_until(lambda: [state(one) for one in [init.pid, *group]] == ["T", "T", "T"], "all of them to stop", 10)
    init.signal(signal.SIGCONT)
    wait_until(lambda: "T" not in [state(one) for one in [init.pid, *group]], "all of them to resume", 10)
    init.signal(signal.SIGTERM)
    assert init.wait() == 143


def test_dumb_init_with_a_single_child_forwards_tstp_as_it_is_and_stops(run):
    init = run("dumb-init", "-c", *listener()).wait_for("listening")
    init.signal(signal.SIGTSTP)
    wait_until(lambda: state(init.pid) == "T" and init.heard() == [signal.SIGTSTP], lambda: init.output, 10)
    init.signal(signal.SIGCONT)
    wait_until(lambda: state(init.pid) != "T" and init.heard()[1:] == [signal.SIGCONT], lambda: init.output, 10)


@pytest.mark.parametrize("rewrites, heard", [([], signal.SIGTERM), (["-r", "15:10"], signal.SIGUSR1)])
def test_dumb_init_ends_what_the_command_left_in_its_group(run, rewrites, heard):
    init = run("dumb-init", *rewrites, *sh('"$@" & read line < gate; exit 6'), "-", *listener(heard),
               preexec_fn=lambda: os.mkfifo("gate"))
    init.wait_for("listening")
    (init.log_path.parent / "gate").write_text("go\n")
    assert init.wait() == 6
    wait_until(lambda: init.heard() == [heard], lambda: init.output, 10)


@pytest.fixture
def terminal():
    """Both ends of a new terminal, and what makes it a new session's controlling one."""
    ours, theirs = pty.openpty()

    def take():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    yield ours, {"stdin": theirs, "preexec_fn": take, "pass_fds": [theirs]}
    os.close(ours)
    os.close(theirs)


@BOTH
def test_the_command_has_the_terminal_and_control_c_reaches_it_alone(run, words, terminal):
    ours, options = terminal
    init = run(*words, *listener(signal.SIGINT), **options).wait_for("listening")
    pid = init.command()
    group, session = ids(pid)
    assert group == pid and os.tcgetpgrp(ours) == pid
    assert session == (init.pid if words[0] == "tini" else pid)
    os.write(ours, b"\x03")
    assert init.wait() == 0
    assert init.heard() == [signal.SIGINT], "no hang-up and no continuation from the hand-over"


def test_a_stuck_reader_of_the_output_does_not_stop_the_forwarding(tmp_path):
    """Slipway alone: the originals block here."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    words = ["-svvv", "--", *sh('exec "$@" >heard'), "-", *listener(signal.SIGTERM)]
    init = Init(program_of("slipway", "tini", tmp_path), words, tmp_path, stdout=write)
    try:
        heard = tmp_path / "heard"
        wait_until(lambda: heard.exists() and "listening" in heard.read_text(), "the command")
        init.signal(signal.SIGTERM)
        assert init.wait() == 0
    finally:
        init.end()
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("name", ["tini-static", "init", "slipway"])
def test_under_any_other_name_it_is_slipway(tmp_path, name):
    link = tmp_path / name
    link.symlink_to(SLIPWAY.resolve())
    done = subprocess.run([link, "--version"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stdout.startswith("slipway ")
