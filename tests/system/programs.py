"""Small programs that stand in for workers."""
import contextlib
import os
import pathlib
import textwrap

from harness import PYTHON, wait_until

IDLE = ["sleep", "infinity"]


def sh(text):
    """A bash script as an argument vector."""
    return ["/bin/bash", "-c", textwrap.dedent(text)]


def python(text, *arguments):
    return [PYTHON, "-S", "-c", textwrap.dedent(text), *map(str, arguments)]


class Gate:
    """A worker's `read line < PATH` stands still until the test opens the gate."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        os.mkfifo(self.path)
        os.chmod(self.path, 0o666)

    def open(self, timeout=30):
        def written():
            with contextlib.suppress(OSError):
                descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
                os.write(descriptor, b"go\n")
                os.close(descriptor)
                return True
            return False

        wait_until(written, f"a worker to wait at {self.path}", timeout)


class Trace:
    """A file to which workers append words, to see the order in which things happened."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.write_text("")
        os.chmod(self.path, 0o666)

    def words(self):
        return self.path.read_text().split()

    def wait_for(self, word, timeout=30):
        wait_until(lambda: word in self.words(), f"{word!r} in {self.words()}", timeout)

    def on_term(self, word):
        """A service that is stopped by TERM and says so."""
        return sh(
            f"trap 'echo {word} >> {self.path}; exit 0' TERM; echo up-{word} >> {self.path}; sleep infinity & wait"
        )
