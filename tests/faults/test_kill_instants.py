"""TERM and KILL at many different instants of a cold PostgreSQL boot, fsync on.

TERM: the documented exit, no process left, no marker. KILL of PID 1: the next boot on the same directory is a good one.
Never a half cluster. The instants are spread over the boot's measured duration, a little past its end.
"""
import collections
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import Container, wait_until
from local_postgres import LocalCluster
from postgres_server import bin_dir
from processes import related_to, signal_set, status_of

INSTANTS = int(os.environ.get("SLIPWAY_KILL_INSTANTS", "50"))


def takes_term(pid):
    """PID 1 has blocked TERM for its signalfd; before that a TERM is lost in the kernel or ends it before it began."""
    status = status_of(pid)
    return "SigBlk" in status and signal.SIGTERM in signal_set(status, "SigBlk") | signal_set(status, "SigCgt")


def pause(one, seconds):
    """Lets the boot run for a while; ends early when it ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        one.process.wait(max(seconds, 0.0001))


def phase_of(one):
    """The last unit that the output says was started."""
    started = re.findall(r" INFO  (\S+) started pid=", one.output)
    return started[-1] if started else "before"


class Instant:
    """One fresh cluster and one boot on it that is cut short."""

    def __init__(self, folder, number, namespace):
        self.folder = folder / f"i{number}"
        self.folder.mkdir()
        os.chmod(self.folder, 0o755)
        self.cluster = LocalCluster(self.folder)
        self.namespace = namespace

    def container(self):
        return Container(self.folder / "c", self.cluster.config(), namespace=self.namespace)

    def start(self):
        one = self.container().start()
        wait_until(lambda: one.process.poll() is not None or takes_term(one.pid), "PID 1 to take TERM", 20)
        return one

    def check_cluster(self):
        """Either no cluster or a whole one."""
        if (self.cluster.data / "PG_VERSION").exists():
            control = subprocess.run([bin_dir() / "pg_controldata", self.cluster.data], capture_output=True, text=True)
            assert control.returncode == 0 and "WARNING" not in control.stdout, control

    def check_next_boot(self):
        """The same directory boots, with every row exactly once, and stops cleanly."""
        one = self.container().start().wait_ready(60)
        try:
            assert self.cluster.sql("SELECT v FROM kept") == "first boot"
            assert one.marker("migrate.done") and one.marker("failed") is None
            assert one.output.count("database system is ready to accept connections") == 1, one.output
            assert one.stop(30) == 0, one.output
        finally:
            one.kill()
        staging = [path.name for path in self.cluster.parent.iterdir() if path != self.cluster.data]
        assert staging == [], "left beside the data directory"

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def boot_seconds(tmp_path):
    """How long a cold boot takes here and now: the median of three."""
    measured = []
    for number in range(3):
        instant = Instant(tmp_path, f"measure{number}", True)
        began = time.monotonic()
        one = instant.start()
        one.wait_ready()
        measured.append(time.monotonic() - began)
        assert one.stop() == 0, one.output
        instant.remove()
    return sorted(measured)[1]


def spread(seconds):
    return [seconds * 1.1 * number / INSTANTS for number in range(INSTANTS)]


def test_term_at_any_instant_of_a_cold_boot_is_a_documented_exit(tmp_path, boot_seconds):
    phases = collections.Counter()
    for number, delay in enumerate(spread(boot_seconds)):
        instant = Instant(tmp_path, number, False)
        one = instant.start()
        try:
            pause(one, delay)
            assert one.stop(30) == 0, f"TERM after {delay:.3f} s:\n{one.output}"
            assert related_to(instant.folder) == [], f"TERM after {delay:.3f} s:\n{one.output}"
            assert one.marker("ready") is None and one.marker("failed") is None
            phases[phase_of(one)] += 1
            instant.check_cluster()
            if number % 5 == 0:
                instant.check_next_boot()
        finally:
            one.kill()
        instant.remove()
    print(
        f"TERM: {sum(phases.values())} instants over {boot_seconds:.2f} s, all exits 0, by the last unit started: {dict(phases)}"
    )
    assert len(phases) >= 3, f"the instants fell into too few phases: {phases}"


def test_kill_of_pid_1_at_any_instant_of_a_cold_boot_is_followed_by_a_good_boot(tmp_path, boot_seconds):
    phases = collections.Counter()
    for number, delay in enumerate(spread(boot_seconds)):
        instant = Instant(tmp_path, number, True)
        one = instant.start()
        pause(one, delay)
        one.kill()
        phases[phase_of(one)] += 1
        wait_until(lambda folder=instant.folder: related_to(folder) == [], "the namespace's processes to be gone", 20)
        instant.check_cluster()
        try:
            instant.check_next_boot()
        except AssertionError as error:
            raise AssertionError(f"KILL after {delay:.3f} s:\n{one.output}\n--- next boot\n{error}") from None
        instant.remove()
    print(
        f"KILL: {sum(phases.values())} instants over {boot_seconds:.2f} s, all next boots good, by the last unit started: {dict(phases)}"
    )
    assert len(phases) >= 3, f"the instants fell into too few phases: {phases}"
