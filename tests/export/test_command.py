"""The commands that make files to send round: what they write, and what they leave alone."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from wan_client.cli.main import main

from .support import picture, write_result

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {"page": ".html", "sheet": ".pdf", "wipe": ".webp", "bundle": ".zip"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_result(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def refusal(*words: str) -> tuple[int, str]:
    """The exit code and the error's code, which a script reads; a person gets one sentence."""
    code, out, err = run(*words, "--json")
    assert err.count("\n") == 1
    return code, str(json.loads(out)["code"])


@pytest.mark.parametrize(("command", "suffix"), COMMANDS.items())
def test_each_writes_its_file(command: str, suffix: str, folder: Path) -> None:
    code, out, err = run(command, "sketch.png", "-o", f"out{suffix}")
    assert (code, out, err) == (0, f"out{suffix}\n", "")
    assert (folder / f"out{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(("command", "suffix"), COMMANDS.items())
def test_a_name_of_its_own_is_one_that_is_free(command: str, suffix: str, folder: Path) -> None:
    names = [run(command, "sketch.png")[1].strip() for _ in range(2)]
    assert names == [f"before-after_2026-11-22{suffix}", f"before-after_2026-11-22_2{suffix}"]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_wipe_of_several_is_several_files(suffix: str, folder: Path) -> None:
    write_result(folder, "second.png")
    assert run("wipe", "sketch.png", "second.png", "-o", f"w{suffix}")[:2] == (0, f"w-01{suffix}\nw-02{suffix}\n")


def test_the_picture_from_before_is_found_by_its_fingerprint(folder: Path) -> None:
    (folder / "other.jpg").write_bytes(picture((480, 420), "JPEG", "#00ff00"))
    code, out, _ = run("page", "sketch.png", "--json")
    assert code == 0
    assert json.loads(out)["before"] == [True]


def test_where_it_is_not_found_that_is_said(folder: Path) -> None:
    (folder / "cat.jpg").unlink()
    code, _, err = run("page", "sketch.png", "-q")
    assert code == 0
    assert "sketch.png" in err
    assert "--before" in err
    assert refusal("wipe", "sketch.png", "-q", "--before", "cat.jpg") == (66, "image_missing_file")


def test_it_can_be_given(folder: Path) -> None:
    (folder / "cat.jpg").rename(folder / "elsewhere")
    assert run("wipe", "sketch.png", "--before", "elsewhere")[0] == 0
    write_result(folder, "second.png")
    assert run("page", "sketch.png", "second.png", "--before", "elsewhere")[0] == 0, "one for all"


def test_a_preview_is_named_one(folder: Path) -> None:
    write_result(folder, "preview.png", preview=True)
    code, out, err = run("sheet", "preview.png")
    assert code == 0
    assert out.startswith("local-preview")
    assert "local preview" in err
    values: dict[str, Any] = json.loads(run("sheet", "preview.png", "--json")[1])
    assert values["preview"] is True


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["page", "nowhere.png"], 66, "image_missing_file"),
        (["page", "."], 66, "image_missing_file"),
        (["page", "cat.jpg"], 65, "export_no_recipe"),
        (["page", "text.png"], 65, "image_unreadable"),
        (["page", "empty.png"], 65, "image_empty"),
        (["page", "sketch.png", "-o", "out.txt"], 65, "export_suffix"),
        (["sheet", "sketch.png", "-o", "sketch.png"], 73, "export_exists"),
        (["page", "sketch.png", "-o", "nowhere/out.html"], 73, "export_not_writable"),
        (["page", "sketch.png", "--before", "cat.jpg", "--before", "cat.jpg"], 65, "export_befores"),
        (["wipe", "sketch.png", "--before", "text.png"], 65, "image_unreadable"),
    ],
)
def test_what_can_not_be_done_is_a_sentence_and_a_code(words: list[str], code: int, error: str, folder: Path) -> None:
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").touch()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert refusal(*words) == (code, error)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before, "nothing was written"


def test_only_a_file_that_was_named_is_overwritten(folder: Path) -> None:
    (folder / "named.html").write_text("old")
    assert run("page", "sketch.png", "-o", "named.html")[0] == 0
    assert (folder / "named.html").read_text("utf-8") != "old"
    write_result(folder, "second.png")
    (folder / "w-02.gif").write_text("mine")
    assert refusal("wipe", "sketch.png", "second.png", "-o", "w.gif") == (73, "export_exists")
    assert (folder / "w-02.gif").read_text() == "mine"
    assert not (folder / "w-01.gif").exists()


def test_a_wrong_call_is_64() -> None:
    assert run("page")[0] == 64
    assert run("sheet", "sketch.png", "--paper", "a5")[0] == 64


def test_a_prompt_that_is_a_commands_name_goes_after_edit(folder: Path) -> None:
    assert run("page", "--help")[0] == 0
    assert "page" in run("--help")[1]


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wan_client.cli.export", raising=False)
    monkeypatch.setitem(sys.modules, "wan_client.export", None)
    import wan_client.cli

    monkeypatch.delattr(wan_client.cli, "export", raising=False)
    assert refusal("page", "sketch.png") == (64, "export_missing")
