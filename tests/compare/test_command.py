"""``wan_client keep``, in this process."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from wan_client import Backend, ImageSize
from wan_client.cli.main import main
from wan_client.messages import MESSAGES
from wan_client.recipe import Recipe, embed, fingerprint, read
from wan_sandbox.preview import render

from .support import Move, moved, photo, rectangle

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (600, 600)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with an original, a result of it that moved, and a mask; without any setting that works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAN_BACKEND", "nonsense")
    photo("cheetah2").save("original.png", compress_level=1)
    Image.fromarray(moved(photo("cheetah2"), Move(9, 4, 1.03), SIZE)).save("result.png", compress_level=1)
    rectangle(SIZE, (200, 200, 400, 400)).save("mask.png")
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["keep", *arguments])
    return code, out.getvalue(), err.getvalue()


def test_the_composite_is_written_and_the_alignment_said(folder: Path) -> None:
    code, out, err = run("original.png", "result.png", "--mask", "mask.png", "-o", "kept.png")
    assert (code, out) == (0, "kept.png\n")
    assert MESSAGES["cli.keep.aligned"].format(pixels=10, percent=103) in err
    with Image.open(folder / "kept.png") as kept:
        assert kept.size == photo("cheetah2").resize(SIZE).size
        assert kept.info["Description"].startswith("A kept composite")


def test_the_original_size_and_one_object_of_json(folder: Path) -> None:
    code, out, _ = run("original.png", "result.png", "--mask", "mask.png", "--size", "original", "-q", "--json")
    values = json.loads(out)
    assert (code, values["aligned"], values["preview"]) == (0, True, False)
    assert (values["width"], values["height"]) == photo("cheetah2").size
    with Image.open(folder / values["path"]) as kept:
        pixels, was = np.asarray(kept), np.asarray(photo("cheetah2"))
    assert 0 < (pixels != was).any(-1).mean() < 0.3


def test_the_recipe_of_the_result_goes_on_with_the_mask(folder: Path) -> None:
    """Opening the composite on the page restores the form and the mask."""
    recipe = Recipe(
        prompt="make it blue", negative_prompt="", image_size=ImageSize.parse("1:1"), seed=0, prompt_extend=True,
        engine=Backend.SANDBOX, model="local preview", request_id="r1", cost=None,
        created=datetime(2026, 11, 26, tzinfo=timezone.utc), references=(fingerprint("original.png"),), version=1,
    )  # fmt: skip
    (folder / "result.png").write_bytes(embed((folder / "result.png").read_bytes(), recipe))
    assert run("original.png", "result.png", "--mask", "mask.png", "-o", "kept.png", "-q")[0] == 0
    found = read(folder / "kept.png")
    assert found
    assert found.kept
    assert (replace(found, kept=None), found.kept.image, found.kept.size) == (recipe, 1, "result")
    with Image.open(io.BytesIO(b64decode(found.kept.mask))) as mask, Image.open("mask.png") as painted:
        assert mask.tobytes() == painted.convert("1").tobytes()
    # Another original is none of its references.
    photo("cat").resize(SIZE).save("other.png")
    assert run("other.png", "result.png", "--mask", "mask.png", "-o", "other-kept.png", "-q")[0] == 0
    assert read(folder / "other-kept.png") is None


def test_no_file_is_replaced_that_nobody_named(folder: Path) -> None:
    """By default the name is free; a name whose ending is completed is one that nobody gave."""
    names = [run("original.png", "result.png", "--mask", "mask.png", "-q")[1].strip() for _ in range(2)]
    assert names == ["original_kept.png", "original_kept-2.png"]
    (folder / "mine.jpg.png").write_text("mine")
    assert run("original.png", "result.png", "--mask", "mask.png", "-o", "mine.jpg", "-q")[1] == "mine.jpg-2.png\n"
    assert (folder / "mine.jpg.png").read_text() == "mine"
    (folder / "named.png").write_text("old")
    assert run("original.png", "result.png", "--mask", "mask.png", "-o", "named.png", "-q")[0] == 0
    assert (folder / "named.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("original.png", "result.png", "--mask", "mask.png", "-o", "result.png"), 65, "kept_is_source"),
        (("original.png", "missing.png", "--mask", "mask.png"), 66, "image_missing_file"),
        (("original.png", "result.png", "--mask", "black.png"), 65, "mask_empty"),
        (("original.png", "result.png", "--mask", "long.png"), 65, "mask_shape"),
        (("original.png", "result.png", "--mask", "mask.png", "-o", "mask.png/kept.png"), 73, "kept_not_writable"),
    ],
)
def test_what_can_not_be_done(folder: Path, arguments: tuple[str, ...], exit_code: int, code: str) -> None:
    Image.new("L", SIZE).save("black.png")
    Image.new("L", (900, 100), 255).save("long.png")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    found, out, _ = run(*arguments, "--json")
    assert (found, json.loads(out)["code"]) == (exit_code, code)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_what_is_kept_of_a_preview_is_a_preview(folder: Path) -> None:
    result = render([photo("cheetah2")], prompt="sepia", size=SIZE, drift=True)
    (folder / "result.png").write_bytes(result.png)
    code, out, err = run("original.png", "result.png", "--mask", "mask.png")
    assert (code, out) == (0, "local-preview_original_kept.png\n")
    assert MESSAGES["cli.keep.preview"] in err
    with Image.open(folder / out.strip()) as kept:
        assert kept.info["Title"] == "Local preview"


def test_without_opencv_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wan_client.compare import _opencv

    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    _opencv.opencv.cache_clear()
    code, out, _ = run("original.png", "result.png", "--mask", "mask.png", "--json")
    assert (code, json.loads(out)["code"]) == (64, "compare_missing")
