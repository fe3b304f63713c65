"""What the documentation promises is what the sources say."""
import re

from project import ROOT

EVENTS = (ROOT / "docs" / "events.md").read_text()


def test_every_event_state_and_marker_is_documented():
    names = re.findall(r'return "([a-z.]+)"', (ROOT / "src" / "engine" / "names.cpp").read_text())
    assert len(names) > 25, "names.cpp was not understood"
    assert [name for name in names if name != "unknown" and f"| `{name}` |" not in EVENTS] == []


def test_every_exit_code_is_documented():
    codes = re.findall(r"k[A-Z]\w+ = (\d+),", (ROOT / "src" / "config" / "exit_code.hpp").read_text())
    assert len(codes) > 10
    assert [code for code in codes if f"\n| {code} |" not in EVENTS] == []


def test_architecture_names_every_folder_and_stays_short():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    assert len(text.splitlines()) < 60
    for folder in (path for path in (ROOT / "src").iterdir() if path.is_dir()):
        assert f"**{folder.name}**" in text, folder


def test_links_lead_somewhere():
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert [one for one in broken if not one.endswith("docs/reference.md")] == []


def test_readme_shows_its_two_commands_first():
    text = (ROOT / "README.md").read_text()
    for command in ("scripts/quickstart.sh", "scripts/test.sh"):
        assert command in text[:2000] and (ROOT / command).exists()
    assert "scripts/test.sh" in (ROOT / ".ci" / "run").read_text()
