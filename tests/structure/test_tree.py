"""What a reader may rely on when opening the tree: sizes, layout, names and words."""
import re

import pytest

from project import ROOT, sources, text_files

SOURCE_LINES = 400
TEST_LINES = 500
MARKS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
SKIPS = re.compile("GTEST_" + "SKIP|DISABLED" + "_|pytest.mark." + "skip|pytest." + "skip")
SLEEPS = re.compile(r"sleep_f[o]r|usl[e]ep\(|\bsleep\s[0-9]")
VAGUE = {"util", "utils", "manager", "helper", "helpers", "common", "misc"}


def relative(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_source_file_is_too_long():
    long = [p for p in sources("src") if len(p.read_text().splitlines()) > SOURCE_LINES]
    assert relative(long) == []


def test_no_test_file_is_too_long():
    files = [*sources("tests"), *(ROOT / "tests").rglob("*.py")]
    assert relative(p for p in files if len(p.read_text().splitlines()) > TEST_LINES) == []


def test_every_folder_of_the_source_has_its_library_and_its_namespace():
    for folder in ["config", "engine", "host", "logging", "control", "supervisor", "database", "web", "programs"]:
        assert (ROOT / "src" / folder / "CMakeLists.txt").exists(), folder
    wrong = []
    for path in sources("src"):
        folder = path.relative_to(ROOT / "src").parts[0]
        text = path.read_text()
        if path.name != "main.cpp" and "namespace" in text and "namespace slipway" not in text:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_headers_are_guarded_and_say_what_they_are_for():
    wrong = []
    for path in sources("src"):
        if path.suffix == ".hpp":
            first, second = (path.read_text().splitlines() + ["", ""])[:2]
            if first != "#pragma once" or not second.startswith("//"):
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_file_names_say_what_the_thing_is_for():
    vague = [p for p in sources("src") if VAGUE & set(p.stem.split("_"))]
    assert relative(vague) == []


@pytest.mark.parametrize("what, pattern, folders", [
    ("unfinished marks", MARKS, ("src", "tests", "scripts", "images", "config-samples", "docs", "cmake")),
    ("skipped tests", SKIPS, ("tests",)),
    ("sleeps instead of conditions", SLEEPS, ("tests",)),
])
def test_words_that_do_not_belong_into_the_tree(what, pattern, folders):
    found = []
    for path in text_files():
        name = path.relative_to(ROOT)
        if name.parts[0] not in folders or name.parts[:2] == ("tests", "bench") and what.startswith("sleeps"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line) and "re.compile" not in line:
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert found == []


def test_sources_are_listed_not_globbed():
    found = [p for p in text_files() if p.name == "CMakeLists.txt" and "GLOB" in p.read_text()]
    assert relative(found) == []
