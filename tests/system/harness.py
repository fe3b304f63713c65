"""Starts the built programs as a user does, in a PID namespace of their own, and reads what a user reads."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

from processes import children_of, every_pid, send_signal, status_of

BIN = pathlib.Path(os.environ.get("SLIPWAY_BIN", "/usr/bin"))
SLIPWAY = BIN / "slipway"
APPS = pathlib.Path(__file__).parent / "apps"
PYTHON = "/usr/bin/python3"


def free_port():
    """A port the kernel gave; nobody listens on it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, timeout=60.0):
    """The condition's first true value, polled; fails naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out after {timeout} s waiting for {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def http_get(url, data=None):
    """Body of a request, or None while nobody answers properly."""
    try:
        with urllib.request.urlopen(url, data=data, timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return None


class Container:
    """One run of `slipway run` as PID 1 of a new PID namespace, with a directory of its own.

    `wrapper` runs before the namespace is made and `inner` in it; both end by executing what follows them.
    """

    def __init__(
        self, directory, config=None, command=(), env=None, namespace=True, arguments=(), wrapper=(), inner=(), **popen
    ):
        self.directory = pathlib.Path(directory)
        self.run_dir = self.directory / "run"
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.log_path = self.directory / "output.log"
        self.config_path = self.directory / "slipway.json"
        self.socket = self.run_dir / "control.sock"
        self.markers = self.run_dir / "markers"
        self.state_dir = self.directory / "state"
        self.namespace = namespace
        self.command = list(command)
        self.arguments = list(arguments)
        self.wrapper = list(wrapper)
        self.inner = list(inner)
        self.popen = popen
        self.log_start = 0
        self.stale = None
        sanitizers = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        self.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **sanitizers, **(env or {})}
        if config is not None:
            self.write_config(config)
        else:
            self.env.setdefault("SLIPWAY__CONTROL__SOCKET", str(self.socket))
            self.env.setdefault("SLIPWAY__MARKERS__DIRECTORY", str(self.markers))
            self.env.setdefault("SLIPWAY__STATE_DIR", str(self.state_dir))
        self.process = None
        self.pid = None

    def write_config(self, config):
        """The given sections, with the files of this run placed below its directory."""
        config = dict(config)
        config.setdefault("markers", {"directory": str(self.markers)})
        config.setdefault("control", {"socket": str(self.socket)})
        config.setdefault("state_dir", str(self.state_dir))
        self.config_path.write_text(json.dumps(config, indent=1))

    def argv(self):
        argv = list(self.wrapper)
        if self.namespace:
            argv += ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
        argv += [*self.inner, str(SLIPWAY), "run"]
        if self.config_path.exists():
            argv += ["--config", str(self.config_path)]
        argv += self.arguments
        if self.command:
            argv += ["--", *self.command]
        return list(map(str, argv))

    def start(self):
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.stale = self.marker("ready")
        with open(self.log_path, "ab") as log:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, **self.popen}
            self.process = subprocess.Popen(self.argv(), env=self.env, cwd=self.directory, **options)
        self.pid = self.process.pid
        if self.namespace:
            self.pid = wait_until(self._inner_pid, "PID 1 of the namespace", 20)
        return self

    def _inner_pid(self):
        """PID 1 of the namespace as the test sees it; -1 when the run had ended before anyone saw it."""
        if self.process.poll() is not None:
            return -1
        for pid in children_of(self.process.pid):
            return pid
        return None

    @property
    def output(self):
        """What this run (not an earlier one in the same directory) printed."""
        with open(self.log_path, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def cli(self, *words, check=True, timeout=60):
        """Runs a client command against this container's control socket."""
        argv = [str(SLIPWAY), *words[:1], "--socket", str(self.socket), *words[1:]]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
        if check:
            assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.output}"
        return done

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def unit(self, name):
        for unit in self.status()["units"]:
            if unit["name"] == name:
                return unit
        raise AssertionError(f"no unit {name} in {self.status()}")

    def state(self, name):
        return self.unit(name)["state"]

    def wait_state(self, name, *states, timeout=30):
        """Waits until a unit is in one of these states, and returns what status says of it."""

        def reached():
            unit = self.unit(name)
            return unit if unit["state"] in states else None

        return wait_until(reached, lambda: f"{name} to be {states}: {self.unit(name)}\n{self.output}", timeout)

    def wait_socket(self, timeout=30):
        def answers():
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.output}"
            return self.socket.exists() and self.cli("status", "--json", check=False).returncode == 0

        wait_until(answers, lambda: f"the control socket\n{self.output}", timeout)
        return self

    def unit_pid(self, name):
        """The unit's process as the test sees it, from outside of the namespace."""
        inner = self.unit(name)["pid"]
        return self.outside(inner) if inner else 0

    def outside(self, inner):
        """A PID of the namespace translated to the test's."""
        if not self.namespace:
            return inner
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        for pid in every_pid():
            with contextlib.suppress(OSError):
                if (
                    status_of(pid).get("NSpid", "").split()[-1:] == [str(inner)]
                    and os.readlink(f"/proc/{pid}/ns/pid") == space
                ):
                    return pid
        raise AssertionError(f"no process {inner} in the namespace of {self.pid}")

    def log_records(self):
        """The output as JSON objects, for a configuration with `logging: {format: json}`."""
        return [json.loads(line) for line in self.output.splitlines() if line.strip()]

    def events(self, name=None, unit=None):
        return [
            record
            for record in self.log_records()
            if record.get("event") and name in (None, record["event"]) and unit in (None, record.get("unit"))
        ]

    def marker(self, name):
        """The marker's content, or None while it does not exist."""
        with contextlib.suppress(FileNotFoundError):
            return json.loads((self.markers / name).read_text())
        return None

    def wait_ready(self, timeout=90):
        def ready():
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.output}"
            found = self.marker("ready")
            return found if found != self.stale else None

        wait_until(ready, lambda: f"the ready marker; output so far:\n{self.output}", timeout)
        return self

    def signal(self, number):
        send_signal(self.pid, number, self.output)

    def wait_exit(self, timeout=90):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.output}") from None

    def stop(self, timeout=90):
        """TERM, and the exit code that followed."""
        self.signal(signal.SIGTERM)
        return self.wait_exit(timeout)

    def kill(self):
        """SIGKILL to PID 1; the kernel ends the namespace with it."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                send_signal(self.pid if self.pid and self.pid > 1 else self.process.pid, signal.SIGKILL)
            self.process.wait(30)
