"""Runs containers of the built images with podman and removes them afterwards."""
import subprocess
import time
import uuid

READY_SECONDS = 120


def podman(*words, check=True, timeout=180):
    done = subprocess.run(["podman", *map(str, words)], capture_output=True, text=True, timeout=timeout)
    if check:
        assert done.returncode == 0, f"podman {' '.join(map(str, words))}: {done.stdout}{done.stderr}"
    return done


class Container:
    """A detached container; its volumes go with it."""

    def __init__(self, image, *options, command=()):
        self.name = f"slipway-test-{uuid.uuid4().hex[:12]}"
        podman("run", "--detach", "--name", self.name, *options, image, *command)

    def logs(self):
        done = podman("logs", self.name)
        return done.stdout + done.stderr

    def exec(self, *words, check=True):
        return podman("exec", self.name, *words, check=check)

    def state(self, field):
        return podman("inspect", "--format", "{{.State." + field + "}}", self.name).stdout.strip()

    def wait_ready(self):
        """Until `slipway health` succeeds, which is what HEALTHCHECK runs."""
        deadline = time.monotonic() + READY_SECONDS
        while self.exec("/usr/bin/slipway", "health", check=False).returncode != 0:
            assert self.state("Running") == "true", f"ended with {self.state('ExitCode')}:\n{self.logs()}"
            assert time.monotonic() < deadline, f"not ready in {READY_SECONDS} s:\n{self.logs()}"
            time.sleep(0.1)
        return self

    def wait_exit(self):
        return int(podman("wait", self.name).stdout)

    def stop(self):
        """`podman stop` with a minute of grace; the exit code that followed. 137 would be podman's KILL."""
        podman("stop", "--time", "60", self.name)
        return int(self.state("ExitCode"))

    def start(self):
        podman("start", self.name)
        return self

    def remove(self):
        podman("rm", "--force", "--volumes", "--time", "0", self.name, check=False)
