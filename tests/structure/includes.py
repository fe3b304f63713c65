"""Reads the includes and checks that dependencies point one way (docs/ARCHITECTURE.md).

    programs -> supervisor -> {engine, host, logging, control} -> config
    database and web use config, host and control, never supervisor or engine; engine uses config's types alone.
"""
import pathlib
import re

ALLOWED = {
    "config": set(),
    "engine": {"config"},
    "host": {"config"},
    "logging": {"config"},
    "control": {"config"},
    "supervisor": {"engine", "host", "logging", "control", "config"},
    "database": {"config", "host", "control"},
    "web": {"config", "host", "control"},
    "programs": {"supervisor", "engine", "host", "logging", "control", "config", "database", "web"},
}
# The types of the configuration; reading files is the loader's business and not the engine's.
ONLY_THESE = {
    ("engine", "config"): {
        "config/configuration.hpp", "config/error.hpp", "config/exit_code.hpp", "config/secret.hpp",
        "config/notation.hpp", "config/words.hpp", "config/schedule/cron.hpp", "config/schedule/time_zone.hpp",
    }
}
# The engine is a pure function: nothing that does a system call, reads a clock, prints or starts a thread.
ENGINE_FORBIDDEN = re.compile(
    r'#include <(boost/(asio|process|beast)|spdlog|sys/|unistd\.h|fcntl\.h|signal\.h|poll\.h|thread|mutex|atomic|'
    r"condition_variable|future|iostream|fstream|cstdio|filesystem|ctime|time\.h)"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def wrong_arrows(source_root):
    """Every include against the direction, as `file: message`."""
    found = []
    root = pathlib.Path(source_root)
    for path in sorted([*root.rglob("*.hpp"), *root.rglob("*.cpp"), *root.rglob("*.h")]):
        folder = path.relative_to(root).parts[0]
        text = path.read_text()
        if folder not in ALLOWED:
            found.append(f"{path.relative_to(root)}: folder '{folder}' has no place in the layout")
            continue
        for name in INCLUDE.findall(text):
            target = name.split("/")[0]
            if "/" not in name or target == folder or target not in ALLOWED:
                continue
            only = ONLY_THESE.get((folder, target))
            if target not in ALLOWED[folder] or (only is not None and name not in only):
                found.append(f"{path.relative_to(root)}: {folder} must not include {name}")
        if folder == "engine" and (match := ENGINE_FORBIDDEN.search(text)):
            found.append(f"{path.relative_to(root)}: the engine is pure: {match.group(0)}>")
    return found
