"""Where the project and its built programs are, for the tests of this folder."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SLIPWAY_BIN", ROOT / "build/dev/bin"))
BUILD = pathlib.Path(os.environ.get("SLIPWAY_BUILD", BIN.parent))
SLIPWAY = BIN / "slipway"


def run(*argv, **options):
    """Runs a command to its end; output is text."""
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=120, **options)


def sources(*folders):
    """Every C++ file below the given folders of the project."""
    for folder in folders:
        for pattern in ("*.cpp", "*.hpp", "*.h"):
            yield from sorted((ROOT / folder).rglob(pattern))


def text_files():
    """Every file of the project that people or machines read, as git knows them or, in an export, as found."""
    listing = run("git", "-C", ROOT, "ls-files", "-z")
    if listing.returncode == 0 and listing.stdout:
        names = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if path.is_file() and "build" not in path.relative_to(ROOT).parts]
    for path in names:
        if path.is_file():
            yield path
