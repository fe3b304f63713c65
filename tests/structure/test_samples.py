"""Every sample is a configuration that Slipway accepts, and the documentation knows every key."""
import re
import json

import pytest

from project import ROOT, SLIPWAY, run

SAMPLES = sorted([*(ROOT / "config-samples").rglob("slipway.yaml"), *(ROOT / "images").rglob("slipway.yaml")])
# What each sample's own documentation says must be given.
NEEDED = {
    "DB_PASSWORD": "p@ss",
    "DATABASE_PASSWORD": "p@ss",
    "QUICKSTART_DIR": "/tmp/quickstart",
}


def environment():
    return {"PATH": "/usr/bin:/bin", **NEEDED}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_sample_passes_check(sample):
    done = run(SLIPWAY, "check", "--config", sample, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_sample_has_a_plan_without_secrets(sample):
    done = run(SLIPWAY, "plan", "--config", sample, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "p@ss" not in done.stdout and "p%40ss" not in done.stdout


def test_samples_cover_the_systems_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    for sample in SAMPLES:
        if sample.is_relative_to(ROOT / "config-samples"):
            assert f"config-samples/{sample.parent.name}" in readme, sample


def keys_of(node):
    """Every property name of a JSON Schema, however deep."""
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            yield name
        for value in node.values():
            yield from keys_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys_of(value)


def schema():
    done = run(SLIPWAY, "schema")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_key_of_the_schema_is_in_the_reference():
    reference = (ROOT / "docs" / "reference.md").read_text()
    known = set(re.findall(r"[a-z_0-9]+", reference))
    assert sorted(set(keys_of(schema())) - known) == []


def test_reference_is_what_the_program_prints():
    done = run(SLIPWAY, "schema", "--markdown")
    assert done.returncode == 0, done.stderr
    assert (ROOT / "docs" / "reference.md").read_text() == done.stdout, (
        "docs/reference.md is out of date: slipway schema --markdown > docs/reference.md"
    )
