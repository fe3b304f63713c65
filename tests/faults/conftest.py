"""The harness and the fixtures are those of the system tests."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "system"))

from fixtures import container, tmp_path  # noqa: E402,F401
