"""PostgreSQL from nothing, and from an existing cluster, to the first query that was answered."""
import glob
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

from stage import BenchError, Sample, children

MS = 1e6


def newest_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    return pathlib.Path(found[-1]) if found else None


def as_postgres():
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}


def answered(path):
    """One SELECT 1 over the server's socket, as the floor's client: no libpq, no process."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(path))
            body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
            client.sendall(struct.pack("!i", len(body) + 4) + body)
            if not until_idle(client):
                return False
            client.sendall(b"Q" + struct.pack("!i", 13) + b"SELECT 1\0")
            return until_idle(client)
    except OSError:
        return False


def until_idle(client):
    """Reads messages until ReadyForQuery; False on an error or the end."""
    data = b""
    while True:
        while len(data) >= 5:
            length = struct.unpack("!i", data[1:5])[0]
            if len(data) <= length:
                break
            kind, data = data[:1], data[length + 1:]
            if kind in b"EZ":
                return kind == b"Z"
        more = client.recv(8192)
        if not more:
            return False
        data += more


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class PlainServer:
    """The floor: initdb, postgres and a client, and nothing between them."""

    def __init__(self, stage):
        self.bin = newest_bin()
        self.directory = stage.directory / "plain-cluster"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        os.chmod(self.directory, 0o700)
        self.data = self.directory / "data"

    def call(self, program, *words):
        subprocess.run([self.bin / program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       cwd="/", **as_postgres())

    def initialise(self):
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8")

    def start(self):
        server = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data, "-k", self.directory, "-p", "5432", "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **as_postgres(),
        )
        deadline = time.monotonic() + 60
        while not answered(self.directory / ".s.PGSQL.5432"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise BenchError("the plain server did not start")
            time.sleep(0.002)
        return server

    def stop(self, server):
        server.send_signal(signal.SIGINT)
        server.wait(60)


def plain(stage, rounds):
    """Milliseconds of the floor: cold (initdb, start, query), warm (start, query), and warm with `pg_ctl -w`."""
    cold, warm, pg_ctl = [], [], []
    for _ in range(rounds):
        plain_server = PlainServer(stage)
        began = now()
        plain_server.initialise()
        server = plain_server.start()
        cold.append((now() - began) / MS)
        plain_server.stop(server)
        began = now()
        server = plain_server.start()
        warm.append((now() - began) / MS)
        plain_server.stop(server)
        options = f"-k {plain_server.directory} -p 5432 -c listen_addresses="
        began = now()
        plain_server.call("pg_ctl", "-w", "-D", plain_server.data, "-o", options, "start")
        if not answered(plain_server.directory / ".s.PGSQL.5432"):
            raise BenchError("pg_ctl returned before the server answered")
        pg_ctl.append((now() - began) / MS)
        plain_server.call("pg_ctl", "-w", "-D", plain_server.data, "-m", "fast", "stop")
    return Sample(cold), Sample(warm), Sample(pg_ctl)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def slipway(stage, peer, rounds):
    """Milliseconds until a worker behind the database runs: cluster, role, database, schema and marker included."""
    cold, warm = [], []
    for _ in range(rounds):
        home = stage.directory / "slipway-cluster"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        if os.getuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        database = {
            "backend": "postgres",
            "postgres": {
                "local": True, "port": free_port(), "name": "bench", "user": "bench", "schema": "bench",
                "cluster": {"data_dir": str(home / "data"), "init_scripts": ""},
            },
        }
        config = peer.config({"w": peer.worker(["worker"])}, database=database)
        for values in (cold, warm):
            with stage.run([peer.binary, "run", "--config", config]) as run:
                values.append(run.up(1, 90) / MS)
                os.kill(run.pid, signal.SIGTERM)
                run.gone(60)
                if children(run.launcher.pid):
                    raise BenchError("left processes behind")
    return Sample(cold), Sample(warm)
