"""A programme reads its own folder and nothing else, and says what was prepared."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from studio.i18n.texts import Texts
from studio.stage.programme import NAME, Programme, write_programme
from studio.uploads import is_upload
from wan_client import Backend, ImageSize, SettingsError
from wan_client.export import page
from wan_client.recipe import Recipe, embed, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

EN = Texts("en")


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures."""
    folder = tmp_path / "show"
    folder.mkdir()
    for name, colour in (("cat.png", "red"), ("result.png", "blue")):
        (folder / name).write_bytes(picture(colour))
    (tmp_path / "secret.png").write_bytes(picture("green"))
    return folder


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(out, "PNG")
    return out.getvalue()


def write(folder: Path, *edits: dict[str, Any], **more: Any) -> Path:
    given = [{"prompt": "make it blue", "images": ["cat.png"], **edit} for edit in edits]
    (folder / NAME).write_text(json.dumps({"edits": given, **more}), "utf-8")
    return folder


def code(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        Programme(path)
    return caught.value.code


def recipe(folder: Path) -> Recipe:
    return Recipe(
        prompt="make it blue",
        negative_prompt="",
        image_size=ImageSize.SQUARE,
        seed=5,
        prompt_extend=False,
        engine=Backend.SANDBOX,
        model="local preview",
        request_id="abc",
        cost=None,
        created=datetime(2026, 11, 1, tzinfo=timezone.utc),
        references=(fingerprint(folder / "cat.png"),),
        version=1,
    )


def test_a_prepared_result_says_so_wherever_it_goes(folder: Path) -> None:
    programme = Programme(write(folder, {"result": "result.png"}, {"seed": 3}))
    item = programme.prepared("0")
    assert item
    assert programme.prepared("1") is None
    assert item.card(EN)["marks"] == ["Prepared"]
    assert item.export().prepared
    assert b"This result was made beforehand." in page([item.export()])
    first, second = programme.cards(EN)
    assert first["after"] == "stage/programme/0/after"
    assert second["after"] is None


def test_its_pictures_become_uploads_that_the_page_can_run(folder: Path) -> None:
    programme = Programme(write(folder, {}))
    form = programme.uploaded("0", "one page")
    assert form
    assert form.image_1
    assert is_upload(form.image_1)
    assert programme.uploaded("0", "one page") == form
    assert programme.uploaded("0", "another page") != form
    assert form.request().prompt == "make it blue"


def test_opening_it_leaves_its_folder_behind(folder: Path) -> None:
    programme = Programme(write(folder, {"result": "result.png"}))
    for file in folder.iterdir():
        file.unlink()
    item = programme.prepared("0")
    assert item
    assert item.export().after


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png", "/etc/hostname", "show/../../secret.png", "..\\secret.png", "C:secret.png",
        "https://example.com/a.png", "file:///etc/hostname", "./cat.png", "", "a\0b.png", "x" * 300,
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["images", "result"])
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, field: str, name: str) -> None:
    given: Any = [name] if field == "images" else name
    assert code(write(folder, {field: given})) == "programme_malformed"


def test_links_and_what_is_no_file_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "near.png").symlink_to(folder / "cat.png")
    (folder / "inside").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    for name in ("link.png", "near.png", "inside/secret.png", "pipe.png", "missing.png", "."):
        assert code(write(folder, {"images": [name]})).startswith("programme_")
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(tmp_path / "secret.png")
    assert code(folder) == "programme_missing"


def test_what_makes_no_sense_is_refused_with_its_place(folder: Path) -> None:
    edits: tuple[dict[str, Any], ...] = (
        {"prompt": ""},
        {"images": []},
        {"images": ["cat.png"] * 4},
        {"seed": -1},
        {"image_size": "7:5"},
    )
    for edit in edits:
        with pytest.raises(SettingsError) as caught:
            Programme(write(folder, {}, edit))
        assert caught.value.code == "programme_malformed"
        assert "2" in str(caught.value.values["place"])
    assert code(write(folder)) == "programme_malformed"
    assert code(write(folder, *[{}] * 41)) == "programme_malformed"
    assert code(folder / "nothing.json") == "programme_missing"
    (folder / "cat.png").write_bytes(b"no picture")
    assert code(write(folder, {"result": "cat.png"})) == "programme_file"


def test_a_folder_of_recipes_is_a_programme(folder: Path) -> None:
    (folder / "b.recipe.png").write_bytes(embed(picture("blue"), recipe(folder)))
    (folder / "a.recipe.png").write_bytes(embed(picture("white"), replace(recipe(folder), seed=9)))
    programme = Programme(folder)
    assert [form.seed for form in programme.forms()] == [9, 5]
    item = programme.prepared("1")
    assert item
    assert item.card(EN)["marks"] == ["Local preview", "Prepared"]


def test_what_was_saved_can_be_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "a.recipe.png").write_bytes(embed(picture("blue"), recipe(folder)))
    programme = Programme(folder)
    item = programme.prepared("0")
    assert item
    for with_recipe in (True, False):
        file = tmp_path / "saved.zip"
        with file.open("wb") as opened:
            write_programme([item], opened, with_recipe=with_recipe)
        reopened = Programme(file)
        again = reopened.prepared("0")
        assert again
        assert again.form.prompt == "make it blue"
        assert again.sandbox, "a local preview stays one"
        assert (again.recipe is not None) == with_recipe


def test_a_zip_is_bounded_and_never_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.stage.programme.PICTURE_BYTES_MAX", 10_000)
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, json.dumps({"edits": [{"prompt": "x", "images": ["big.png"]}]}))
        archive.writestr("big.png", bytes(1_000_000))
        archive.writestr("../outside.png", b"x")
    assert code(file) == "programme_file"
    assert not (tmp_path.parent / "outside.png").exists()
