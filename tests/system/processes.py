"""What the kernel says about processes: their parents, signals, descriptors and zombies."""
import contextlib
import os
import pathlib
import signal


def children_of(pid):
    """Direct children of a process, zombies included, from all of its threads."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def descendants_of(pid):
    """All living and dead processes below one."""
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found


def status_of(pid):
    """/proc/PID/status as a dictionary of texts; empty when the process is gone."""
    with contextlib.suppress(OSError):
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {}


def alive(pid):
    """True for a process that is neither gone nor a zombie."""
    return status_of(pid).get("State", "Z")[0] not in "ZX"


def zombies_below(pid):
    return [child for child in descendants_of(pid) if status_of(child).get("State", "")[:1] == "Z"]


def signal_set(status, field):
    """The signals of one mask of /proc/PID/status (SigBlk, SigIgn, SigCgt)."""
    bits = int(status[field], 16)
    return {number for number in range(1, signal.NSIG) if bits >> (number - 1) & 1}


def environment_of(pid):
    text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="surrogateescape")
    return dict(item.split("=", 1) for item in text.split("\0") if "=" in item)


def descriptors_of(pid):
    """Open descriptors of a process and what they point to."""
    folder = pathlib.Path(f"/proc/{pid}/fd")
    found = {}
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            found[int(entry.name)] = os.readlink(entry)
    return found


def send_signal(pid, number, seen=""):
    """os.kill for one process. `seen` is what to show when there is none: 0 and -1 would be a group and everybody."""
    assert pid is not None and pid > 1, f"no process to signal (pid {pid}):\n{seen}"
    os.kill(pid, number)


def every_pid():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def related_to(directory):
    """Living processes that work in a directory or were started with it in their environment or arguments."""
    needle = os.fsencode(str(directory))
    found = []
    for pid in every_pid():
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            folder = pathlib.Path(f"/proc/{pid}")
            texts = [
                os.fsencode(os.readlink(folder / "cwd")),
                (folder / "environ").read_bytes(),
                (folder / "cmdline").read_bytes(),
            ]
            if any(needle in text for text in texts) and alive(pid):
                found.append(pid)
    return found
