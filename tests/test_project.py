"""The files around the code say what is so."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import wan_client
import wan_sandbox

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
ROOMS = ("wan_client", "wan_sandbox", "studio", "tests", "deploy", "scripts", "assets", "benchmarks", "examples")
# A path with a slash in it, or a name with a suffix that a file of the project has.
FILE_NAME = re.compile(r"^(?:[\w.*-]+/[\w.*/-]*|[\w*-]*\.(?:css|html|ipynb|js|json|md|py|toml|txt|yaml|yml)|\w+file)$")


def test_the_tests_of_a_file_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """Else each process starts every app anew."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    assert alone or request.node.nodeid.endswith("@tests/test_project.py")


@pytest.fixture
def front_matter() -> dict[str, object]:
    head: dict[str, object] = yaml.safe_load(README.split("---\n")[1])
    return head


def pinned(name: str) -> str:
    match = re.search(rf"^{name}==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert match
    return match[1]


def test_a_space_installs_the_gradio_that_is_tested(front_matter: dict[str, object]) -> None:
    assert front_matter["sdk"] == "gradio"
    assert front_matter["sdk_version"] == pinned("gradio")


def test_the_front_matter_is_what_a_space_takes(front_matter: dict[str, object]) -> None:
    assert (ROOT / str(front_matter["app_file"])).is_file()
    assert front_matter["license"] == "apache-2.0"
    assert len(str(front_matter["short_description"])) <= 60
    assert str(front_matter["python_version"]) in {"3.10", "3.11", "3.12", "3.13", "3.14"}
    assert front_matter["tags"]


def test_the_readme_names_the_two_commands() -> None:
    lines = README.splitlines()
    assert "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python app.py" in lines
    assert "scripts/test" in lines


def test_every_file_that_the_readme_points_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_version_has_one_value() -> None:
    metadata = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'version = {attr = "wan_client.version.__version__"}' in metadata
    assert re.search(rf"^## \[{re.escape(wan_client.__version__)}\]", CHANGELOG, re.MULTILINE)


def test_every_test_that_security_md_points_to_is_there() -> None:
    named = re.findall(r"`((?:\w+/)?test_\w+\.py)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert named
    assert not [name for name in named if not (ROOT / "tests" / name).is_file()]


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_guide_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    named = {words.split()[0] for words in re.findall(r"`([^`\n]+)`", text) if FILE_NAME.match(words.split()[0])}
    assert named
    assert [name for name in sorted(named) if not is_there(name)] == []


def test_the_tree_in_architecture_md_is_as_drawn() -> None:
    folders, missing = [ROOT], []
    for line in (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("```")[1].splitlines():
        names = [word.strip("(),;:") for word in line.split() if FILE_NAME.match(word.strip("(),;:"))]
        depth = (len(line) - len(line.lstrip())) // 4
        if names and line.split()[0] == names[0] and depth < len(folders):
            folders[depth + 1 :] = [folders[depth] / names.pop(0)]
            missing += [] if folders[-1].exists() else [folders[-1].relative_to(ROOT).as_posix()]
        missing += [name for name in names if not is_there(name)]
    assert len(folders) > 1
    assert missing == []


def is_there(name: str) -> bool:
    """Return whether a file or folder has that path, from the top or from inside one of the packages."""
    return any(any(ROOT.glob(f"{room}{name.rstrip('/')}")) for room in ("", *(f"{room}/**/" for room in ROOMS)))


def test_every_setting_is_documented() -> None:
    read = set()
    for folder in ("wan_client", "studio"):
        for file in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r"\"((?:RUNCOMFY|WAN)_[A-Z0-9_]+)\"", file.read_text("utf-8")))
    documented = set(re.findall(r"\b((?:RUNCOMFY|WAN)_[A-Z0-9_]+)", (ROOT / ".env.example").read_text("utf-8")))
    assert read == documented
    assert all(name in README for name in read)


@pytest.mark.parametrize("package", [wan_client, wan_sandbox])
def test_every_public_name_can_be_imported(package: ModuleType) -> None:
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_the_photographs_carry_their_rights() -> None:
    rights = (ROOT / "assets" / "photos" / "README.md").read_text("utf-8")
    for photo in (ROOT / "assets" / "photos").glob("*.jpg"):
        assert photo.name in rights


def test_the_rooms_point_one_way() -> None:
    forbidden = {
        "wan_client": r"gradio|numpy|wan_sandbox|studio",
        "wan_sandbox": r"gradio|wan_client(?!\.mentions\b)|studio",
        "studio": r"wan_sandbox",
    }
    for room, others in forbidden.items():
        for file in (ROOT / room).rglob("*.py"):
            # Comparing is an extra, which works on pixels.
            not_here = others.replace("numpy|", "") if file.parent.name == "compare" else others
            found = re.search(rf"^\s*(?:from|import) (?:{not_here})\b", file.read_text("utf-8"), re.MULTILINE)
            assert not found, f"{file.relative_to(ROOT)}: {found and found[0]}"
