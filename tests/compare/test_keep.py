"""Kept composites: outside the mask the original in every byte, inside it the result without a seam."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from wan_client import ImageError, InvalidRequest, recipe
from wan_client.compare import align, keep, unaligned
from wan_client.provenance import PREVIEW_TEXTS
from wan_sandbox.preview import render

from .support import Move, moved, noised, patched, photo, recoloured, rectangle

Size = Literal["result", "original"]


@pytest.mark.parametrize("size", ["result", "original"])
@pytest.mark.parametrize(
    ("before", "after"),
    [((385, 385), (385, 385)), ((4999, 385), (1344, 576)), ((385, 4999), (720, 1280)), ((4999, 1300), (1024, 1024)),
     ((640, 480), (1280, 720)), ((900, 1600), (1024, 1024)), ((601, 399), (4999, 385))],
)  # fmt: skip
def test_outside_the_mask_every_byte_is_the_originals(
    before: tuple[int, int], after: tuple[int, int], size: Size
) -> None:
    original = ImageOps.fit(photo("astronaut"), before)
    result = noised(moved(original, Move(), after), np.random.default_rng(1))
    mask = rectangle(after, (after[0] // 3, after[1] // 3, after[0] * 2 // 3, after[1] * 2 // 3))
    kept = keep(original, result, mask, alignment=unaligned(before, after), size=size)
    reference = original.resize(kept.size, Image.Resampling.LANCZOS, kept.box) if size == "result" else original
    differs = (kept.pixels != np.asarray(reference)).any(-1)
    assert not differs[~kept.changed].any()
    assert differs.any()
    if size == "original":
        assert kept.size == before
    assert 0.05 < kept.changed.mean() < 0.4


def test_at_equal_sizes_the_mask_is_exactly_where_it_may_change() -> None:
    original, rng = photo("astronaut"), np.random.default_rng(2)
    mask = Image.fromarray((rng.random((512, 512)) > 0.5).astype(np.uint8) * 255)
    mask.paste(255, (100, 100, 300, 300))
    kept = keep(original, Image.new("RGB", (512, 512), "red"), mask, alignment=unaligned((512, 512), (512, 512)))
    assert np.array_equal(kept.changed, np.asarray(mask) > 127)
    assert not (kept.pixels != np.asarray(original)).any(-1)[np.asarray(mask) == 0].any()


@pytest.mark.parametrize("size", ["result", "original"])
def test_what_moved_is_moved_back(size: Size) -> None:
    original = photo("cheetah2")
    result = moved(original, Move(14, -9, 1.04, 1), (1024, 1024))
    alignment = align(original, result)
    kept = keep(original, result, rectangle((1024, 1024), (200, 200, 800, 800)), alignment=alignment, size=size)
    assert alignment.sure
    reference = np.asarray(original.resize(kept.size, Image.Resampling.LANCZOS, kept.box)).astype(int)
    assert np.abs(kept.pixels - reference).mean(-1)[kept.changed].mean() < 4


def test_colours_are_matched_at_the_seam() -> None:
    original = photo("astronaut")
    result = recoloured(np.asarray(original), (1.1, 1, 0.9), 10)
    mask = rectangle(original.size, (150, 150, 350, 350))
    kept = keep(original, result, mask, alignment=unaligned(original.size, original.size))
    off, was = (np.abs(pixels.astype(int) - np.asarray(original)).mean() for pixels in (kept.pixels, result))
    inside = np.abs(kept.pixels.astype(int) - np.asarray(original)).mean(-1)[kept.changed].mean()
    assert inside < 0.4 * was
    assert off < inside


def test_the_middle_is_the_results_and_the_edge_fades() -> None:
    original = photo("astronaut").resize((1024, 1024))
    box = (300, 300, 700, 700)
    result = patched(np.asarray(original), photo("cat"), box)
    kept = keep(original, result, rectangle((1024, 1024), box), alignment=unaligned((1024, 1024), (1024, 1024)))
    far = np.abs(kept.pixels.astype(int) - result)[340:660, 340:660]
    assert far.mean() < 6
    edge = np.abs(kept.pixels.astype(int) - np.asarray(original))
    assert edge[301, 320:680].mean() < edge[310, 320:680].mean() < edge[330, 320:680].mean()


def test_a_mask_over_the_original_is_taken_as_such() -> None:
    original, result = photo("cheetah2"), photo("cheetah2").resize((1280, 720))
    kept = keep(original, result, rectangle(original.size, (0, 0, 200, 200)), size="original")
    assert kept.changed[:200, :200].all()
    assert kept.changed.sum() == 200 * 200


def test_a_layer_that_was_painted_on_is_a_mask() -> None:
    """It is transparent where nothing was painted, as a file and in memory."""
    cat, layer, buffer = photo("cat"), Image.new("RGBA", photo("cat").size), io.BytesIO()
    layer.paste((255, 255, 255, 255), (50, 50, 150, 150))
    layer.save(buffer, "PNG")
    for mask in (layer, np.asarray(layer), buffer.getvalue()):
        assert keep(cat, cat, mask, alignment=unaligned(cat.size, cat.size)).changed.sum() == 100 * 100


def test_masks_that_can_not_be_used() -> None:
    cat = photo("cat")
    with pytest.raises(InvalidRequest) as empty:
        keep(cat, cat, Image.new("L", cat.size))
    assert empty.value.code == "mask_empty"
    with pytest.raises(InvalidRequest) as shape:
        keep(cat, cat, Image.new("L", (100, 300), 255))
    assert shape.value.code == "mask_shape"
    with pytest.raises(ImageError) as broken:
        keep(cat, b"no picture", Image.new("L", cat.size, 255))
    assert (broken.value.code, broken.value.values["number"]) == ("image_unreadable", 2)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (385, 4001), (2049, 700)])
def test_the_file_is_lossless_and_says_what_it_is(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape)
    original = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    same = unaligned(shape[::-1], shape[::-1])
    kept = keep(original, original, Image.new("L", shape[::-1], 255), alignment=same)
    with Image.open(io.BytesIO(kept.png())) as image:
        assert np.array_equal(np.asarray(image), kept.pixels)
        assert image.mode == "RGB"
        assert image.info["Description"].startswith("A kept composite")
        assert "Title" not in image.info


def test_a_preview_stays_one_in_the_picture_and_in_the_file() -> None:
    preview = render([photo("astronaut")], prompt="sepia", size=(1024, 1024), drift=True, seed=5).png
    mask = rectangle((1024, 1024), (300, 300, 700, 700))
    kept = keep(photo("astronaut"), preview, mask)
    assert kept.preview
    png = kept.png()
    with Image.open(io.BytesIO(png)) as image:
        assert dict(PREVIEW_TEXTS).items() <= image.info.items()
    with Image.open(io.BytesIO(recipe.strip(png))) as clean:
        assert clean.info["Title"] == "Local preview"
    unlabelled = keep(photo("astronaut"), preview, mask, preview=False)
    label = (kept.pixels != unlabelled.pixels).any(-1)
    assert label.any()
    assert not label[~kept.changed].any()


def test_a_turned_original_is_kept_upright() -> None:
    original = photo("astronaut").resize((600, 400))
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    original.save(buffer, "PNG", exif=exif, pnginfo=PngInfo())
    upright = original.transpose(Image.Transpose.ROTATE_270)
    kept = keep(buffer.getvalue(), upright, rectangle(upright.size, (100, 100, 200, 200)), size="original")
    assert kept.size == (400, 600)
    assert not (kept.pixels != np.asarray(upright)).any(-1)[~kept.changed].any()
