"""An init of one command, the original or Slipway under its name, and commands that show what it does to them."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from harness import SLIPWAY, wait_until
from processes import alive, children_of, descendants_of
from programs import python

# Says every signal it gets and ends after one of those named. It waits for them instead of handling them, so that none
# can come between a look and a pause.
LISTENER = """
    import signal, sys
    last = {int(word) for word in sys.argv[1:]}
    every = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
    signal.pthread_sigmask(signal.SIG_BLOCK, every)
    print("listening", flush=True)
    while True:
        number = int(signal.sigwait(every))
        print("got", number, flush=True)
        if number in last:
            sys.exit(0)
    """


def listener(*last):
    return python(LISTENER, *map(int, last))


class Init:
    """One run of a program that starts one command; its output, its own PID and its command's."""

    def __init__(self, program, words, directory, namespace=False, env=None, wrapper=(), **popen):
        self.log_path = pathlib.Path(directory) / "output.log"
        self.namespace = namespace
        argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"] if namespace else []
        argv = [*map(str, wrapper), *argv, str(program), *map(str, words)]
        variables = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(env or {})}
        with open(self.log_path, "ab") as log:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, **popen}
            self.process = subprocess.Popen(argv, env=variables, **{"cwd": directory, **options})
        self.pid = self.process.pid
        if namespace:
            wait_until(lambda: children_of(self.process.pid) or self.process.poll() is not None, "PID 1", 20)
            self.pid = next(iter(children_of(self.process.pid)), self.process.pid)

    @property
    def output(self):
        return self.log_path.read_text(errors="replace")

    def heard(self):
        """The signals that the listener reported, in order."""
        return [int(line.split()[1]) for line in self.output.splitlines() if line.startswith("got ")]

    def wait_for(self, text):
        wait_until(lambda: text in self.output, lambda: f"{text!r} in {self.output!r}", 20)
        return self

    def command(self):
        """The PID of what it started."""
        return wait_until(lambda: children_of(self.pid), "the command", 20)[0]

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=20):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.output}") from None

    def end(self):
        """Ends everything that it left running."""
        for pid in [*descendants_of(self.process.pid), self.process.pid]:
            if alive(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.wait(20)


def program_of(who, name, directory):
    """`original`: Debian's program. `slipway`: a symlink of that name."""
    if who == "original":
        found = shutil.which(name)
        assert found, f"{name} is not installed: scripts/install-dependencies.sh test"
        return found
    link = pathlib.Path(directory) / name
    if not link.exists():
        link.symlink_to(SLIPWAY.resolve())
    return link
