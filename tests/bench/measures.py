"""The measurements of supervision. Each takes a stage and a peer and returns one or more figures."""
import os
import pathlib
import signal
import subprocess
import time

from stage import (BenchError, Sample, cpu_seconds, is_worker, supervisor_pss_mib, tree, wakeups,
                   zombies_below)

MS = 1e6


def start_up(stage, peer):
    """Milliseconds from exec of PID 1 until its one worker runs."""
    argv, env = peer.argv(1, ["worker"])
    with stage.run(argv, env=env) as run:
        return run.up() / MS


def settled(run, seconds=0.3):
    """Lets start-up work end, so that what is measured is idle."""
    before = -1
    while (now := sum(cpu_seconds(pid) for pid in tree(run.pid))) != before:
        before = now
        time.sleep(seconds)


def memory(stage, peer, count, rounds):
    """MiB of the supervisor's processes beside `count` idle workers, and milliseconds to start all of them."""
    sizes, starts = [], []
    for _ in range(rounds):
        argv, env = peer.argv(count, ["worker"])
        with stage.run(argv, env=env) as run:
            starts.append(run.up(count, 120) / MS)
            settled(run)
            sizes.append(supervisor_pss_mib(run.pid, stage.tool))
    return Sample(sizes), Sample(starts)


def idle_wakeups(stage, peer, seconds):
    """Voluntary context switches of PID 1 per second, beside ten idle workers."""
    argv, env = peer.argv(10, ["worker"])
    with stage.run(argv, env=env) as run:
        run.up(10)
        settled(run)
        before = wakeups(run.pid)
        time.sleep(seconds)
        return Sample([(wakeups(run.pid) - before) / seconds])


def restart(stage, peer, rounds):
    """Milliseconds from SIGKILL of the worker until the next one runs."""
    values = []
    argv, env = peer.argv(1, ["worker"])
    with stage.run(argv, env=env) as run:
        run.up()
        for _ in range(rounds):
            settled(run, 0.05)
            time.sleep(peer.settle)
            worker = next(pid for pid in tree(run.pid) if is_worker(pid, stage.tool))
            killed = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            os.kill(worker, signal.SIGKILL)
            values.append((run.fifo.next("up", 20) - killed) / MS)
    return Sample(values)


def reap(stage, peer, count, limit):
    """Orphans reaped per second, milliseconds of PID 1's processor time for all of them, most zombies seen."""
    argv, env = peer.argv(1, ["orphans", count])
    with stage.run(argv, env=env) as run:
        began = run.fifo.next("begin", 30)
        pid = run.pid
        before = cpu_seconds(pid)
        most = 0
        deadline = time.monotonic() + limit
        done = False
        while not done or zombies_below(pid):
            if not done:
                try:
                    run.fifo.next("done", 0.02)
                    done = True
                except BenchError:
                    pass
            most = max(most, zombies_below(pid))
            if time.monotonic() > deadline:
                raise BenchError(f"{count} orphans: not reaped in {limit} s, {most} zombies")
        ended = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        used = (cpu_seconds(pid) - before) * 1000
        return Sample([count / ((ended - began) / 1e9)]), Sample([used]), Sample([most])


def shutdown(stage, peer, count, rounds):
    """Milliseconds from the request to stop until PID 1 and its `count` willing workers are gone."""
    values = []
    for _ in range(rounds):
        argv, env = peer.argv(count, ["worker"])
        with stage.run(argv, env=env) as run:
            run.up(count)
            settled(run, 0.1)
            began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            peer.stop(run, count)
            values.append((run.gone() - began) / MS)
    return Sample(values)


# --- logs ------------------------------------------------------------------------------------------------------------

END = b"END-OF-BENCH\n"


def complete(path, payload):
    try:
        if path.stat().st_size < payload:
            return False
        with open(path, "rb") as file:
            file.seek(-400, os.SEEK_END)
            return END in file.read()
    except OSError:
        return False


def captured(stage, argv, env, path, payload, stdout=subprocess.DEVNULL, limit=120):
    """MB/s and processor seconds per GiB of a supervisor that captures its worker's output into `path`."""
    with stage.run(argv, env=env, stdout=stdout) as run:
        began = run.fifo.next("begin", 30)
        pid = run.pid
        deadline = time.monotonic() + limit
        while not complete(path, payload):
            if time.monotonic() > deadline:
                raise BenchError(f"only {path.stat().st_size if path.exists() else 0} of {payload} bytes in {limit} s")
            time.sleep(0.002)
        ended = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        used = sum(cpu_seconds(one) for one in [pid])
    return Sample([payload / 1e6 / ((ended - began) / 1e9)]), Sample([used * (1 << 30) / payload])


def piped(stage, consumer, directory, payload, size, stdout=subprocess.DEVNULL):
    """The same for a program that reads its standard input to the end."""
    stage.fifo.drain()
    environment = {**os.environ, "BENCH_FIFO": str(stage.fifo.path)}
    producer = subprocess.Popen([stage.tool, "logger", str(payload), str(size)], stdout=subprocess.PIPE, env=environment)
    reader = subprocess.Popen(consumer, stdin=producer.stdout, stdout=stdout, cwd=directory)
    producer.stdout.close()
    began = stage.fifo.next("begin", 20)
    _, _, usage = os.wait4(reader.pid, 0)
    ended = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    reader.returncode = 0
    producer.wait()
    used = usage.ru_utime + usage.ru_stime
    return Sample([payload / 1e6 / ((ended - began) / 1e9)]), Sample([used * (1 << 30) / payload])


def log_directory(stage):
    """In memory where there is room, so that no disk is measured."""
    base = pathlib.Path("/dev/shm")
    free = os.statvfs(base).f_bavail * os.statvfs(base).f_frsize if base.exists() else 0
    path = (base if free > 4 << 30 else stage.directory) / f"slipway-bench-{os.getpid()}"
    path.mkdir(exist_ok=True)
    return path
