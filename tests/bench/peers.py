"""Each program the benchmark compares, with its own way of being configured, and its quirks."""
import json
import os
import pathlib
import shutil
import signal
import time


class Peer:
    """`many`: it supervises any number of workers. A peer that is not installed takes no part."""

    many = True
    restarts = True
    reaps = True
    settle = 0.0  # seconds a worker must have lived before its end is answered at once
    program = ""

    def __init__(self, stage):
        self.stage = stage
        self.tool = str(stage.tool)

    @property
    def present(self):
        return shutil.which(self.program) is not None

    def argv(self, count, words):
        """The command line that runs `count` workers `tool WORDS...`; may write files first. Second: variables."""
        raise NotImplementedError

    def stop(self, run, count):
        os.kill(run.pid, signal.SIGTERM)

    def fresh(self, name):
        path = self.stage.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


class Floor(Peer):
    name = "floor"
    present = True

    def argv(self, count, words):
        return [self.tool, "floor", count, self.tool, *words], {}


class Tini(Peer):
    name, program, many, restarts = "tini", "tini", False, False

    def argv(self, count, words):
        return ["tini", "--", self.tool, *words], {}


class DumbInit(Peer):
    name, program, many, restarts = "dumb-init", "dumb-init", False, False

    def argv(self, count, words):
        return ["dumb-init", "--", self.tool, *words], {}


class ServiceDirectories(Peer):
    """s6 and runit: one directory per service. `run` is the tool itself, so that no shell is measured."""

    def directories(self, count, words):
        scan = self.fresh(self.name)
        for number in range(count):
            service = scan / f"w{number:04}"
            service.mkdir()
            (service / "run").symlink_to(self.tool)
        variables = {"BENCH_RUN": words[0]}
        if len(words) > 1:
            variables["BENCH_COUNT"] = str(words[1])
        return scan, variables


class S6(ServiceDirectories):
    name, program = "s6", "s6-svscan"
    settle = 1.1  # a service is not started twice within a second

    def argv(self, count, words):
        scan, variables = self.directories(count, words)
        return ["s6-svscan", "-c", max(10, count + 10), scan], variables  # its default is at most 500 services


class Runit(ServiceDirectories):
    name, program = "runit", "runsvdir"
    settle = 1.1  # the same pause

    def argv(self, count, words):
        scan, variables = self.directories(count, words)
        os.utime(scan, (0, 0))  # it waits a second where its directory changed within the current one
        return ["runsvdir", "-P", scan], variables  # at most 1000 services

    def stop(self, run, count):
        # runsvdir itself leaves its services running (TERM) or does not wait for them (HUP), and `sv` looks only every
        # 420 ms: so each is told through its control pipe, its state is read, and runsvdir is ended last.
        services = sorted((self.stage.directory / self.name).iterdir())
        for service in services:
            (service / "supervise" / "control").write_text("d")
        deadline = time.monotonic() + 60
        while any((service / "supervise" / "stat").read_text() != "down\n" for service in services):
            if time.monotonic() > deadline:
                break
        os.kill(run.pid, signal.SIGKILL)


class Supervisord(Peer):
    name, program = "supervisord", "supervisord"

    def argv(self, count, words):
        directory = self.fresh(self.name)
        command = " ".join([self.tool, *map(str, words)])
        (directory / "supervisord.conf").write_text(
            f"[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
            f"pidfile={directory}/pid\nchildlogdir={directory}\nminfds={count * 3 + 1024}\n"
            f"[program:w]\ncommand={command}\nnumprocs={count}\nprocess_name=w%(process_num)s\n"
            f"autorestart=true\nstartsecs=0\nstartretries=1000000\nredirect_stderr=true\n"
            f"stdout_logfile={self.log(directory)}\nstdout_logfile_maxbytes=0\n"
        )
        return ["/usr/bin/supervisord", "-c", directory / "supervisord.conf"], {}

    def log(self, directory):
        return "NONE"


class SupervisordLogging(Supervisord):
    """Captures into a file, without a prefix: it can add none."""

    def log(self, directory):
        return directory / "output.log"


class Slipway(Peer):
    name = "slipway"

    @property
    def binary(self):
        return pathlib.Path(os.environ.get("SLIPWAY_BIN", "build/release/bin")).resolve() / "slipway"

    @property
    def present(self):
        return self.binary.exists()

    def config(self, workers, **sections):
        directory = self.fresh(self.name)
        os.chmod(directory, 0o755)
        document = {
            "workers": workers,
            "markers": {"directory": str(directory / "markers")},
            "control": {"socket": str(directory / "control.sock")},
            "state_dir": str(directory / "state"),
            **sections,
        }
        path = directory / "slipway.json"
        path.write_text(json.dumps(document))
        return path

    def worker(self, words, **keys):
        return {
            "command": [self.tool, *map(str, words)], "restart": "always", "restart_delay": "0s",
            "restart_jitter": "0%", "start_limit_burst": 1000000, **keys,
        }

    def argv(self, count, words):
        path = self.config({"w": self.worker(words, replicas=count)})
        return [self.binary, "run", "--config", path], {}


class SlipwayCommand(Slipway):
    """`slipway run -- CMD`: no configuration, as a plain init."""

    name, many, restarts = "slipway run --", False, False

    def argv(self, count, words):
        return [self.binary, "run", "--", self.tool, *words], {}


def all_peers(stage):
    kinds = (Floor, Tini, DumbInit, S6, Runit, Supervisord, SlipwayCommand, Slipway)
    return [peer for peer in (kind(stage) for kind in kinds) if peer.present]
