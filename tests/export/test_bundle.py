"""The ZIP of everything, and what no export may carry."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest

from wan_client.export import ExportError, ExportItem, bundle, page, sheet, stem, wipe
from wan_client.recipe import embed, read

from .support import RUN, item, picture, recipe

TOKEN = "secret-token-0123456789"
ADDRESS = "https://playgrounds-storage-public.runcomfy.net/eJwzNDA%3D/output.png"
PATH = "/home/somebody/Pictures"


def unpacked(items: list[ExportItem], **options: Any) -> dict[str, bytes]:
    out = io.BytesIO()
    bundle(items, out, **options)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def test_everything_is_in_it() -> None:
    names = list(unpacked([item(), item(before=None)]))
    stemmed = "before-after_2026-11-22"
    assert names == [
        f"{stemmed}.html",
        f"{stemmed}.pdf",
        f"{stemmed}-01.png",
        f"pictures/01_{stemmed}_after.png",
        f"pictures/01_{stemmed}_before.jpg",
        f"wipes/01_{stemmed}.webp",
        f"wipes/01_{stemmed}.gif",
        f"pictures/02_{stemmed}_after.png",
    ]


def test_a_preview_is_called_one() -> None:
    names = list(unpacked([item(preview=True)]))
    assert all("local-preview" in name for name in names)
    assert "local-preview" not in stem([item()])
    assert "kept" in stem([item(kept=True)])


@pytest.mark.parametrize("with_recipe", [True, False])
def test_the_pictures_carry_their_recipes_where_that_is_wanted(with_recipe: bool) -> None:
    files = unpacked([item()], with_recipe=with_recipe)
    found = read(next(data for name, data in files.items() if name.endswith("_after.png")))
    assert (found is not None) is with_recipe
    assert any(RUN.encode() in data for data in files.values()) is with_recipe


def test_progress_counts_every_step() -> None:
    seen: list[float] = []
    bundle([item(), item(before=None)], io.BytesIO(), on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] == pytest.approx(1 / 9)
    assert seen[-1] == 1.0


def test_nothing_but_the_pdf_knows_when_it_was_made() -> None:
    first, second = (unpacked([item()]) for _ in range(2))
    assert not [name for name in first if first[name] != second[name] and not name.endswith("pdf")]


def test_no_token_address_or_path_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the API or a camera wrote into a file stays behind; only what the person wrote goes."""
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", TOKEN)
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Source", ADDRESS)
    info.add_itxt("Path", PATH)
    after = embed(picture(pnginfo=info), recipe())
    before = picture((120, 80), "JPEG", comment=f"{ADDRESS} {PATH}".encode())
    shown = [ExportItem.of(recipe(), after, before)]
    made = [page(shown), *sheet(shown, "pdf"), *sheet(shown, "png"), wipe(shown[0], "gif"), *unpacked(shown).values()]
    for data in made:
        assert not any(word.encode() in data for word in (TOKEN, "runcomfy.net", "somebody", str(__file__)))


def test_the_page_names_no_host_at_all() -> None:
    text = re.sub(r'src="data:[^"]+"', "", page([item()], with_recipe=True).decode())
    assert "://" not in text


def test_nothing_to_show_is_an_error() -> None:
    with pytest.raises(ExportError):
        bundle([], io.BytesIO())
