"""Where the measured programs run: the FIFO they report to, their processes, and what the kernel says about these."""
import contextlib
import os
import pathlib
import select
import signal
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).parent


class BenchError(Exception):
    """A measurement that could not be taken; shown in its row instead of a figure."""


def compile_tool(directory):
    """Builds tool.c; static, so that starting a worker costs the same under everyone."""
    tool = pathlib.Path(directory) / "tool"
    subprocess.run(["cc", "-O2", "-static", "-o", tool, HERE / "tool.c"], check=True)
    return tool


class Fifo:
    """Reads `what pid nanoseconds` lines. Held open for writing too, so that it never ends."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            import fcntl

            fcntl.fcntl(self.fd, 1031, 1 << 20)  # F_SETPIPE_SZ
        self.rest = b""
        self.lines = []

    def next(self, what, timeout):
        """Nanoseconds of the next line saying `what`; lines saying something else are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            while self.lines:
                name, _, moment = self.lines.pop(0).split()
                if name == what:
                    return int(moment)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise BenchError(f"no '{what}' within {timeout} s")
            data = self.rest + os.read(self.fd, 1 << 16)
            *lines, self.rest = data.split(b"\n")
            self.lines += [line.decode() for line in lines]

    def drain(self):
        self.lines = []
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, 1 << 16):
                pass
        self.rest = b""

    def close(self):
        os.close(self.fd)
        os.unlink(self.path)


class Run:
    """One program as PID 1 of a namespace, from exec to its end; leaving the block ends it for certain."""

    def __init__(self, stage, argv, env=None, stdout=subprocess.DEVNULL, launcher_user=None):
        self.stage = stage
        self.fifo = stage.fifo
        self.fifo.drain()
        environment = {**os.environ, "BENCH_FIFO": str(self.fifo.path), **(env or {})}
        self.errors = open(stage.directory / "stderr", "w+b")
        self.launcher = subprocess.Popen(
            [stage.tool, "launch", *map(str, argv)], env=environment, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=self.errors, cwd=stage.directory,
        )
        self.began = self.fifo.next("exec", 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def up(self, count=1, timeout=60):
        """Waits for `count` workers; nanoseconds from exec until the last of them ran."""
        last = 0
        try:
            for _ in range(count):
                last = max(last, self.fifo.next("up", timeout))
        except BenchError as error:
            raise BenchError(f"{error}; it said: {self.complaint()}") from None
        return last - self.began

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read()[-300:].decode(errors="replace").strip().replace("\n", " | ")

    @property
    def pid(self):
        found = children(self.launcher.pid)
        if not found:
            raise BenchError(f"ended early: {self.complaint()}")
        return found[0]

    def gone(self, timeout=60):
        """Nanoseconds when PID 1 had ended."""
        return self.fifo.next("gone", timeout)

    def end(self):
        for pid in children(self.launcher.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.launcher.wait(30)
        self.errors.close()


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def tree(pid):
    """The process and all below it."""
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        queue += children(one)
    return found


def is_worker(pid, tool):
    with contextlib.suppress(OSError):
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return os.path.samefile(f"/proc/{pid}/exe", tool) and (b"worker" in command[1:2] or command[0].endswith(b"run"))
    return False


def pss_kib(pid):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def supervisor_pss_mib(pid, tool):
    """Proportional set size of everything that is not a worker."""
    return sum(pss_kib(one) for one in tree(pid) if not is_worker(one, tool)) / 1024


def cpu_seconds(pid):
    """Processor time of the process, finer than the clock tick of /proc/PID/stat."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0


def wakeups(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    return 0


def zombies_below(pid):
    count = 0
    for child in children(pid):
        with contextlib.suppress(OSError):
            if ") Z " in pathlib.Path(f"/proc/{child}/stat").read_text():
                count += 1
    return count


class Sample:
    """The median of some figures and how far they are spread (half the range of the middle half)."""

    def __init__(self, values):
        self.values = sorted(values)
        self.median = statistics.median(self.values)
        if len(self.values) >= 4:
            low, _, high = statistics.quantiles(self.values, n=4)
            self.spread = (high - low) / 2
        else:
            self.spread = (self.values[-1] - self.values[0]) / 2


class Stage:
    """A directory, the compiled tool and the FIFO; everything is removed by the caller."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.tool = compile_tool(directory)
        self.fifo = Fifo(self.directory / "fifo")

    def run(self, argv, **options):
        return Run(self, argv, **options)
