"""The sd_notify(3) protocol, against what systemd does with each message."""
import os
import signal
import socket
import subprocess
import time

import pytest
from harness import SLIPWAY, wait_until
from processes import alive, descriptors_of, environment_of
from programs import Gate, python, sh

# Sends what it reads, line by line, each an escaped Python string. `child ` in front: from a child in a session of its
# own; `fd `: with a descriptor attached, and writes "closed" to OUT when that was closed.
SPEAKER = r"""
import array, os, signal, socket, sys
inbox, out = sys.argv[1:3]
address = "\0" + os.environ["NOTIFY_SOCKET"][1:]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def note(word):
    with open(out, "a") as file:
        file.write(word + "\n")
for name in sys.argv[3:]:
    signal.signal(getattr(signal, name), lambda number, frame: note(signal.Signals(number).name))
# Opened for both, so that it never ends when a writer leaves.
with os.fdopen(os.open(inbox, os.O_RDWR), "rb", buffering=0) as lines:
    note("up")
    buffered = b""
    while True:
        buffered += lines.read(65536) or b""
        while b"\n" in buffered:
            line, buffered = buffered.split(b"\n", 1)
            text = line.decode().encode().decode("unicode_escape").encode("latin-1")
            if text == b"exit":
                os._exit(0)
            if text.startswith(b"child "):
                if os.fork() == 0:
                    os.setsid()
                    sock.sendto(text[6:], address)
                    os._exit(0)
                os.wait()
            elif text.startswith(b"fd "):
                ours, theirs = os.pipe()
                sock.sendmsg([text[3:]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs] * 8))], 0, address)
                os.close(theirs)
                os.read(ours, 1)
                os.close(ours)
                note("closed")
            else:
                sock.sendto(text, address)
"""


class Speaker:
    """A unit that says what the test tells it to."""

    def __init__(self, folder):
        self.inbox, self.out = folder / "inbox", folder / "out"
        os.mkfifo(self.inbox)
        self.out.touch()
        self.command = python(SPEAKER, self.inbox, self.out)

    def noting(self, *signals):
        """It notes these signals instead of ending."""
        self.command += signals
        return self

    def say(self, text):
        descriptor = os.open(self.inbox, os.O_WRONLY | os.O_NONBLOCK)
        os.write(descriptor, text.encode() + b"\n")
        os.close(descriptor)

    def wait_for(self, word, count=1):
        wait_until(lambda: self.out.read_text().split().count(word) >= count, lambda: f"{word}: {self.out.read_text()}")


@pytest.fixture
def speaker(tmp_path):
    return Speaker(tmp_path)


def boot(container, speaker, **keys):
    worker = {"command": speaker.command, "ready": {"sd_notify": True}, "restart_delay": "10ms", **keys}
    one = container({"logging": {"format": "json"}, "workers": {"web": worker}}).start().wait_socket()
    speaker.wait_for("up")
    return one


def test_status_is_shown_as_text_and_json(container, speaker):
    one = boot(container, speaker)
    one.wait_state("web", "starting")
    speaker.say(r"STATUS=Loading\x1b[31m 3 of 7")
    wait_until(lambda: one.unit("web")["status"] == "Loading\x1b[31m 3 of 7", lambda: one.unit("web"))
    assert "Loading [31m 3 of 7" in one.cli("status").stdout
    speaker.say(r"READY=1\nSTATUS=Serving")
    one.wait_ready()
    assert one.unit("web")["status"] == "Serving"
    speaker.say("STATUS=" + "x" * 3000)
    wait_until(lambda: one.unit("web")["status"] == "x" * 512, lambda: one.unit("web"))
    speaker.say("STATUS=")
    wait_until(lambda: one.unit("web")["status"] == "", lambda: one.unit("web"))
    assert one.stop() == 0


def test_a_status_never_shows_a_secret(container, speaker, tmp_path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"API_KEY": "hunter2-hunter2"}')
    worker = {"command": speaker.command, "ready": {"sd_notify": True}}
    config = {"environment_sources": [{"json_file": str(secrets)}], "workers": {"web": worker}}
    one = container(config).start().wait_socket()
    speaker.wait_for("up")
    speaker.say("STATUS=with hunter2-hunter2 inside")
    wait_until(lambda: one.unit("web")["status"], lambda: one.output)
    assert "hunter2-hunter2" not in one.cli("status", "--json").stdout


def test_reloading_is_shown_until_ready_comes_again(container, speaker):
    one = boot(container, speaker)
    speaker.say("READY=1")
    one.wait_ready()
    speaker.say(rf"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
    wait_until(lambda: one.unit("web")["reloading"], lambda: one.unit("web"))
    assert one.state("web") == "ready" and "reloading" in one.cli("status").stdout
    speaker.say("READY=1")
    wait_until(lambda: not one.unit("web")["reloading"], lambda: one.unit("web"))
    assert [e["event"] for e in one.events(unit="web")][-2:] == ["unit.reloading", "unit.reloaded"]
    assert one.stop() == 0


def test_stopping_sends_no_signal_while_its_time_lasts(container, speaker):
    speaker.noting("SIGTERM")
    one = boot(container, speaker, stop_grace_period="30s", restart="on-failure")
    speaker.say("READY=1")
    one.wait_ready()
    speaker.say("STOPPING=1")
    one.wait_state("web", "stopping")
    speaker.say("exit")
    assert one.wait_exit() == 0
    assert "SIGTERM" not in speaker.out.read_text()
    assert one.events("unit.stopped", "web"), one.output


def test_a_watchdog_that_is_fed_lets_the_unit_live_and_one_that_is_not_aborts_it(container, speaker):
    one = boot(container, speaker, watchdog="2s", stop_grace_period="300ms")
    pid = one.unit_pid("web")
    environment = environment_of(pid)
    assert environment["WATCHDOG_USEC"] == "2000000"
    assert environment["WATCHDOG_PID"] == str(one.unit("web")["pid"])
    speaker.say("READY=1")
    one.wait_ready()
    for _ in range(12):
        speaker.say("WATCHDOG=1")
        time.sleep(0.25)  # three seconds of signs of life
    assert one.unit_pid("web") == pid and not one.events("unit.watchdog")
    wait_until(lambda: one.unit("web")["restarts"] == 1, lambda: one.output, 20)
    (bitten,) = one.events("unit.watchdog", "web")
    assert bitten["msg"] == "watchdog: no WATCHDOG=1 within 2s"
    assert one.events("unit.exited", "web")[0]["code"] == 128 + signal.SIGABRT
    assert one.unit("web")["last_exit"]["code"] == 128 + signal.SIGABRT
    assert one.stop() == 0


def test_a_unit_that_survives_the_abort_is_killed_and_policy_decides(container, speaker):
    speaker.noting("SIGABRT", "SIGTERM")
    one = boot(container, speaker, watchdog="60s", stop_grace_period="300ms", restart="no")
    speaker.say("READY=1")
    one.wait_ready()
    speaker.say("WATCHDOG=trigger")
    assert one.wait_exit() == 80
    assert speaker.out.read_text().split() == ["up", "SIGABRT"]
    assert one.events("unit.killed", "web") and one.events("unit.failed", "web")


def test_a_watchdog_needs_no_readiness_and_takes_another_interval(container, speaker):
    one = container({"workers": {"web": {"command": speaker.command, "watchdog": "1h"}}}).start().wait_ready()
    speaker.wait_for("up")
    speaker.say("WATCHDOG_USEC=200000")
    wait_until(lambda: one.unit("web")["restarts"] == 1, lambda: one.output, 20)
    assert one.stop() == 0


def test_extended_timeouts_last_as_long_as_they_are_asked_for(container, speaker):
    speaker.noting("SIGTERM")
    one = boot(container, speaker, start_timeout="1s", stop_grace_period="1s", restart="no", critical=False)
    for _ in range(8):
        speaker.say("EXTEND_TIMEOUT_USEC=1500000")
        time.sleep(0.25)  # two seconds, twice the limit
    assert one.state("web") == "starting"
    speaker.say("READY=1")
    one.wait_state("web", "ready")
    began = time.monotonic()
    stopping = subprocess.Popen([str(SLIPWAY), "stop", "--socket", str(one.socket), "web"], stdout=subprocess.DEVNULL)
    speaker.wait_for("SIGTERM")
    speaker.say("EXTEND_TIMEOUT_USEC=2500000")
    assert stopping.wait(30) == 0
    assert 2.4 <= time.monotonic() - began < 10
    assert one.stop() == 0


FLOOD = """
import socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for _ in range(1000):
    sock.sendto(b"READY=1\\nSTATUS=owned\\nWATCHDOG=trigger", "\\0" + sys.argv[1])
"""


def test_descendants_are_believed_and_strangers_refused(container, speaker):
    one = boot(container, speaker)
    address = "\0" + environment_of(one.unit_pid("web"))["NOTIFY_SOCKET"][1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1\nSTATUS=owned\nWATCHDOG=trigger", address)
    wait_until(lambda: one.events("notify.refused"), lambda: one.output)
    inside = ["nsenter", "--pid", "--target", str(one.pid), *python(FLOOD, address[1:])]
    subprocess.run(inside, check=True, timeout=60)
    wait_until(lambda: len(one.events("notify.refused")) > 1, lambda: one.output)
    assert one.state("web") == "starting"
    speaker.say("child STATUS=by a child\\nREADY=1")
    one.wait_ready()
    assert one.unit("web")["status"] == "by a child"
    refused = one.events("notify.refused")
    assert 1 <= len(refused) <= 5, "a flood must not fill the log"
    assert one.stop() == 0


def test_descriptors_are_closed_and_never_kept(container, speaker):
    one = boot(container, speaker)
    speaker.say("READY=1")
    one.wait_ready()
    before = len(descriptors_of(one.pid))
    for count in range(1, 4):
        speaker.say("fd BARRIER=1")
        speaker.wait_for("closed", 2 * count - 1)
        speaker.say(r"fd FDSTORE=1\nFDNAME=x")
        speaker.wait_for("closed", 2 * count)
    wait_until(lambda: len(descriptors_of(one.pid)) <= before, lambda: descriptors_of(one.pid))
    refused = [e["msg"] for e in one.events("notify.refused")]
    assert len(refused) == 1 and "FDSTORE" in refused[0], refused
    assert one.stop() == 0


def test_what_needs_no_answer_or_makes_no_sense_is_survived(container, speaker):
    one = boot(container, speaker, watchdog="30s")
    for text in [
        r"ERRNO=2\nEXIT_STATUS=3\nBUSERROR=x\nNOTIFYACCESS=all\nFDPOLL=0",
        "MAINPID=1",
        r"MAINPID=4711\nMAINPID=x",
        r"",
        "=",
        "====",
        r"\n\n\n",
        "READY=yes",
        r"\xff\xfe\x00READY=1",
        r"READY=1\x00STATUS=x",
        "EXTEND_TIMEOUT_USEC=-1",
        "EXTEND_TIMEOUT_USEC=99999999999999999999999999",
        "WATCHDOG_USEC=soon",
        "WATCHDOG_USEC=18446744073709551615",
        "WATCHDOG=2",
    ]:
        speaker.say(text)
    speaker.say(r"READY=1\n" + "STATUS=" + "x" * 20000)
    speaker.say("STATUS=still here")
    wait_until(lambda: one.unit("web")["status"] == "still here", lambda: one.output)
    assert one.state("web") == "starting"
    messages = [e["msg"] for e in one.events("notify.refused")]
    assert sum("MAINPID" in text for text in messages) == 1, messages
    assert any("longer than 4096 bytes" in text for text in messages), messages
    speaker.say("READY=1")
    one.wait_ready()
    assert one.stop() == 0


def test_an_outer_managers_variables_do_not_reach_workers(container, tmp_path):
    outer = {"NOTIFY_SOCKET": "@outer", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    one = container({"workers": {"web": {"command": ["sleep", "infinity"]}}}, env=outer).start().wait_ready()
    assert not set(outer) & set(environment_of(one.unit_pid("web")))
    assert one.stop() == 0


LATE = """
printf garbage >&3
head -c 300000 /dev/zero | tr '\\0' x >&3
read go < {gate}
echo >&3
echo again >&3 2>/dev/null
sleep infinity
"""


def test_a_newline_after_garbage_makes_ready_and_what_follows_does_no_harm(container, tmp_path):
    gate = Gate(tmp_path / "gate")
    command = sh("trap '' PIPE\n" + LATE.format(gate=gate.path))
    one = container({"workers": {"web": {"command": command, "ready": {"notify_fd": 3}}}}).start().wait_socket()
    one.wait_state("web", "starting")
    gate.open()
    one.wait_ready()
    assert one.stop() == 0


def test_a_notification_descriptor_closed_early_ends_in_start_timeout(container):
    worker = {"command": sh("exec 3>&-; sleep infinity"), "ready": {"notify_fd": 3}, "start_timeout": "500ms"}
    one = container({"workers": {"web": {**worker, "restart": "no"}}}).start()
    assert one.wait_exit() != 0
    assert "not ready within" in one.output


def test_signs_of_life_sent_while_pid_1_stood_still_count(container, speaker):
    one = boot(container, speaker, watchdog="1500ms")
    speaker.say(r"READY=1")
    one.wait_ready()
    pid = one.unit_pid("web")
    os.kill(one.pid, signal.SIGSTOP)
    time.sleep(4)  # longer than the watchdog and the tolerance for a late timer
    os.kill(one.pid, signal.SIGCONT)
    speaker.say("WATCHDOG=1")
    wait_until(lambda: one.events("init.paused"), lambda: one.output)
    speaker.say("WATCHDOG=1")
    assert one.unit_pid("web") == pid and alive(pid)
    assert not one.events("unit.watchdog")
    assert one.stop() == 0
