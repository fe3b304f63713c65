"""`logging` of a worker: formats, files with rotation, what happens when nobody reads or nothing can be written."""
import gzip
import json
import os
import re
import stat
import subprocess

from harness import SLIPWAY, wait_until
from programs import IDLE, Gate, sh
from test_output import full_pipe

WORDS = "for i in $(seq 200); do echo line-$i-of-a-worker-that-talks-a-lot; done"


def files_of(path):
    """The rotated files of a log, oldest first."""
    return sorted(one for one in path.parent.iterdir() if one.name.startswith(path.name + ".2"))


def text_of(path):
    data = path.read_bytes()
    return (gzip.decompress(data) if path.name.endswith(".gz") else data).decode()


def lines_of(*paths):
    return [line.split("| ", 1)[1] for path in paths for line in text_of(path).splitlines() if "| " in line]


def test_each_worker_has_its_format(container):
    one = container(
        {
            "workers": {
                "plain": {"type": "oneshot", "command": ["echo", "with a prefix"], "logging": {"format": "prefix"}},
                "raw": {"type": "oneshot", "command": ["echo", "as it is"], "logging": {"format": "raw"}},
                "object": {"type": "oneshot", "command": ["echo", "in json"], "logging": {"format": "json"}},
            }
        }
    ).start()
    assert one.wait_exit() == 0
    assert re.search(r"^\d{4}-\S+Z plain \| with a prefix$", one.output, re.M), one.output
    assert re.search(r"^as it is$", one.output, re.M), one.output
    record = next(json.loads(line) for line in one.output.splitlines() if line.startswith("{"))
    assert record["msg"] == "in json" and record["unit"] == "object" and record["stream"] == "stdout"


def test_a_raw_worker_writes_to_the_containers_own_descriptors(container):
    one = container({"workers": {"raw": {"command": IDLE, "logging": {"format": "raw"}}}}).start().wait_ready()
    pid = one.unit_pid("raw")
    for descriptor in (1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{descriptor}") == str(one.log_path)
    assert "format: raw" in one.cli("logs", "raw").stderr
    assert "format: raw" not in one.cli("logs").stderr
    assert one.stop() == 0


def test_lines_go_to_a_file_that_the_workers_group_may_read(container, tmp_path):
    path = tmp_path / "logs" / "job.log"
    one = container(
        {
            "workers": {
                "job": {
                    "type": "oneshot",
                    "command": sh("echo one; echo two >&2; printf three"),
                    "user": "1234:5678",
                    "logging": {"file": str(path)},
                }
            }
        }
    ).start()
    assert one.wait_exit() == 0, one.output
    assert lines_of(path) == ["one", "two", "three"]
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert (status.st_uid, status.st_gid) == (os.geteuid(), 5678)
    assert "| one" not in one.output


def test_recent_lines_of_a_file_are_in_slipway_logs(container, tmp_path):
    config = {"workers": {"web": {"command": sh("echo hello; exec sleep infinity"),
                                  "logging": {"file": str(tmp_path / "web.log")}}}}
    one = container(config).start().wait_ready()
    wait_until(lambda: "web | hello" in one.cli("logs", "web").stdout, "the line")
    assert one.stop() == 0


def rotating(path, **more):
    settings = {"file": str(path), "max_size": "2KiB", "max_files": 3, **more}
    return {"workers": {"job": {"type": "oneshot", "command": sh(WORDS), "logging": settings},
                        "web": {"command": IDLE}}}


def test_files_are_rotated_by_size_and_the_oldest_go(container, tmp_path):
    path = tmp_path / "job.log"
    one = container(rotating(path)).start().wait_socket()
    one.wait_state("job", "exited")
    wait_until(lambda: len(files_of(path)) == 3, lambda: f"three old files, not {files_of(path)}")
    for each in [path, *files_of(path)]:
        assert each.stat().st_size <= 2048
    lines = lines_of(*files_of(path), path)
    assert lines == [f"line-{i}-of-a-worker-that-talks-a-lot" for i in range(201 - len(lines), 201)]
    assert one.stop() == 0


def test_all_files_together_keep_to_their_total(container, tmp_path):
    path = tmp_path / "job.log"
    one = container(rotating(path, max_files=0, max_total="5KiB")).start().wait_socket()
    one.wait_state("job", "exited")
    wait_until(lambda: sum(each.stat().st_size for each in [path, *files_of(path)]) <= 5 * 1024, "the total")
    assert files_of(path)
    assert one.stop() == 0


def test_old_files_are_compressed_and_no_byte_is_lost(container, tmp_path):
    path = tmp_path / "job.log"
    one = container(rotating(path, max_files=0, compress=True)).start().wait_socket()
    one.wait_state("job", "exited")
    wait_until(
        lambda: files_of(path) and all(each.name.endswith(".gz") for each in files_of(path)),
        lambda: f"all to be compressed: {files_of(path)}",
    )
    assert lines_of(*files_of(path), path) == [f"line-{i}-of-a-worker-that-talks-a-lot" for i in range(1, 201)]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files_of(path)} == {0o640}
    assert one.stop() == 0


def test_without_a_compressor_files_stay_plain_and_that_is_said_once(container, tmp_path):
    path = tmp_path / "job.log"
    config = rotating(path, compress=True)
    config["workers"]["job"]["command"] = sh("PATH=/usr/bin:/bin; " + WORDS)
    config["workers"]["web"]["command"] = ["/bin/sleep", "infinity"]
    one = container(config, env={"PATH": str(tmp_path / "nothing")},
                    wrapper=["/usr/bin/env", f"PATH={os.environ['PATH']}"],
                    inner=["/usr/bin/env", f"PATH={tmp_path / 'nothing'}"]).start().wait_socket()
    one.wait_state("job", "exited")
    wait_until(lambda: "neither gzip nor zstd" in one.output, "the warning")
    wait_until(lambda: len(files_of(path)) == 3, lambda: f"three old files, not {files_of(path)}")
    assert not any(each.name.endswith(".gz") for each in files_of(path))
    assert one.output.count("neither gzip nor zstd") == 1
    assert one.stop() == 0


def test_an_external_rotation_is_followed_without_a_signal(container, tmp_path):
    path, gate, clock = tmp_path / "web.log", tmp_path / "go", Gate(tmp_path / "clock")
    one = container(
        {
            "workers": {
                "web": {
                    "command": sh(f"echo before; while :; do [ -e {gate} ] && echo after; read -t 0.1 x <> {clock.path}; done"),
                    "logging": {"file": str(path)},
                }
            }
        }
    ).start()
    wait_until(lambda: path.exists() and "before" in text_of(path), "the first line")
    path.rename(tmp_path / "web.log.1")
    gate.touch()
    wait_until(lambda: path.exists() and "after" in text_of(path), "a new file")
    assert "before" in text_of(tmp_path / "web.log.1")
    assert one.stop() == 0


def test_a_full_disk_loses_counted_lines_and_nothing_else(container, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True)
    try:
        path = disk / "web.log"
        one = container(
            {
                "workers": {
                    "web": {
                        "command": sh("while :; do echo $(printf 'x%.0s' $(seq 500)); done"),
                        "logging": {"file": str(path), "max_size": "1GiB"},
                    },
                    "other": {"command": IDLE},
                }
            }
        ).start()
        wait_until(lambda: "No space left on device" in one.output, "the failure to be said")
        one.cli("restart", "other")
        assert one.output.count("No space left on device") == 1
        os.truncate(path, 0)
        wait_until(lambda: re.search(r"web\.log: written again; \d+ lines \(\d+ bytes\) were lost", one.output),
                   lambda: "the recovery:\n" + one.output[-2000:])
        assert one.state("web") == "running"
        assert one.stop() == 0
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_symbolic_link_is_not_followed(container, tmp_path):
    target, path = tmp_path / "precious", tmp_path / "job.log"
    target.write_text("precious")
    path.symlink_to(target)
    one = container({"workers": {"job": {"type": "oneshot", "command": ["echo", "evil"],
                                         "logging": {"file": str(path)}}}}).start()
    assert one.wait_exit() == 0
    assert target.read_text() == "precious"
    assert re.search(r"ERROR .*job\.log: it is a symbolic link", one.output), one.output


def test_a_worker_that_drops_runs_on_behind_a_stuck_reader(container, tmp_path):
    reader, writer = full_pipe()
    gate = Gate(tmp_path / "gate")
    noisy = sh(f"for i in $(seq 50000); do echo a line of a noisy worker that would fill everything $i; done; : > {tmp_path}/done; read x < {gate.path}; echo the end")
    try:
        one = container({"workers": {"noisy": {"type": "oneshot", "command": noisy, "logging": {"on_full": "drop"}},
                                     "web": {"command": IDLE}}}, stdout=writer, stderr=writer).start()
        wait_until((tmp_path / "done").exists, "the worker to finish")
        read = b""
        while b"of its output were dropped" not in read:
            read += os.read(reader, 1 << 16)
        gate.open()
        while b"the end" not in read:
            read += os.read(reader, 1 << 16)
        dropped = re.search(rb"noisy: (\d+) lines \((\d+) bytes\) of its output were dropped", read)
        kept = read.count(b"noisy | a line of a noisy worker")
        assert kept + int(dropped[1]) == 50000
        assert one.stop(20) == 0
    finally:
        os.close(reader)
        os.close(writer)


def test_a_line_of_a_hundred_megabytes_costs_bounded_memory(container, tmp_path):
    path = tmp_path / "job.log"
    flood = sh("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo next")
    one = container({"workers": {"job": {"type": "oneshot", "command": flood,
                                         "logging": {"file": str(path), "max_size": "0"}}, "web": {"command": IDLE}}}).start().wait_socket()
    one.wait_state("job", "exited")
    assert path.stat().st_size > 100_000_000
    with open(path, "rb") as file:
        head = file.read(200)
        file.seek(-100, os.SEEK_END)
        tail = file.read()
    assert head.count(b"job | ") == 1 and head.endswith(b"x")
    assert re.search(rb"x\n\S+Z job \| next\n$", tail), tail
    status = open(f"/proc/{one.pid}/status", encoding="ascii").read()
    assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 32 * 1024
    assert one.stop() == 0


# --- slipway logs


TALKERS = {
    "workers": {
        "one": {"command": sh("for i in $(seq 100); do echo one-$i; done; exec sleep infinity")},
        "two": {"command": sh("for i in $(seq 100); do echo two-$i; done; exec sleep infinity")},
        "three": {"command": sh("echo three; exec sleep infinity")},
    }
}


def test_the_last_lines_of_several_units_come_in_order(container):
    one = container(TALKERS).start().wait_ready()
    wait_until(lambda: "one-100" in one.cli("logs", "one").stdout and "two-100" in one.cli("logs", "two").stdout, "lines")
    lines = one.cli("logs", "-n", "150", "one", "two").stdout.splitlines()
    assert len(lines) == 150 and not any("three" in line for line in lines)
    times = [line.split(" ", 1)[0] for line in lines]
    assert times == sorted(times)
    assert one.cli("logs", "-n", "0", "one").stdout == ""
    assert one.stop() == 0


def test_following_goes_on_where_the_last_lines_end(container, tmp_path):
    clock = Gate(tmp_path / "clock")
    counter = sh(f"i=0; while :; do i=$((i + 1)); echo count-$i; read -t 0.002 x <> {clock.path}; done")
    one = container({"workers": {"a": {"command": counter}, "b": {"command": counter}}}).start().wait_ready()
    wait_until(lambda: "count-100" in one.cli("logs", "-n", "1000", "a").stdout, "some lines")
    follower = subprocess.Popen([SLIPWAY, "logs", "--socket", one.socket, "-f", "-n", "1000", "a"],
                                stdout=subprocess.PIPE, text=True)
    try:
        numbers = []
        while len(numbers) < 500:
            line = follower.stdout.readline()
            assert " a | count-" in line, line
            numbers.append(int(line.rsplit("-", 1)[1]))
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        follower.kill()
        follower.wait()
    assert one.stop() == 0


def test_clients_that_never_read_cost_bounded_memory_and_nobody_else_anything(container):
    flood = sh("while :; do echo a line of a worker that never stops talking to those who do not listen; done")
    one = container({"workers": {"flood": {"command": flood}, "web": {"command": IDLE}}}).start().wait_ready()
    clients = []
    try:
        for _ in range(10):
            client = subprocess.Popen([SLIPWAY, "logs", "--socket", one.socket, "-f", "-n", "100000"],
                                      stdout=subprocess.PIPE)
            clients.append(client)
        for client in clients:
            client.stdout.read(1000)
        for _ in range(20):
            one.cli("restart", "web")
        status = open(f"/proc/{one.pid}/status", encoding="ascii").read()
        assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 64 * 1024
    finally:
        for client in clients:
            client.kill()
            client.wait()
    assert one.stop(20) == 0
