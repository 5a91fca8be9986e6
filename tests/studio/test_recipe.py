"""A picture carries what made it, a clean copy carries nothing, and both show the very same pixels."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio.i18n.texts import Texts, translations
from studio.prompt.form import Form
from studio.prompt.recipe import differing, restored, settings_of
from wan_client import Backend, ImageSize, InvalidRequest, Settings, WanClient
from wan_client.recipe import (
    HEAD_BYTES_MAX,
    RECIPE_BYTES_MAX,
    Recipe,
    embed,
    fingerprint,
    read,
    strip,
    write_copies,
)
from wan_client.schema import SEED_MAX, count_characters, tidy
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

HASHES = tuple(digit * 64 for digit in "abc")
WHEN = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


def a_recipe(prompt: str = "연필 스케치 “image 1” 🎨\nline", **changes: Any) -> Recipe:
    values: dict[str, Any] = {"engine": Backend.RUNCOMFY, "request_id": "run-1", "cost": 0.03, "created": WHEN}
    form = Form(prompt, image_size=ImageSize.LANDSCAPE_16_9.value, seed=7.0, prompt_extend=False)
    return Recipe.of(form, **{**values, "references": HASHES[:2], **changes})


def a_png(mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 60).convert(mode).save(out, "PNG", **options)
    return out.getvalue()


def a_talkative_png() -> bytes:
    """Everything that a PNG may say about itself, and something behind its end."""
    info = PngInfo()
    info.add_text("Comment", "secret in tEXt")
    info.add_text("Comment", "secret in zTXt", zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x>secret in XMP</x>")
    info.add(b"tIME", struct.pack(">HBBBBB", 2026, 11, 22, 9, 30, 0))
    info.add(b"prVt", b"secret of a private chunk")
    exif = Image.Exif()
    exif[0x010E] = "secret in EXIF"
    return a_png(pnginfo=info, exif=exif, dpi=(72, 72)) + b"secret behind the end"


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents, read the other way: by Pillow's own rules, every checksum checked."""
    found, place = [], 8
    while place < len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        content = png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length)[0] == zlib.crc32(name + content)
        found.append((name, content))
        place += 12 + length
    return found


def pixel_data(png: bytes) -> list[bytes]:
    return [content for name, content in chunks(png) if name == b"IDAT"]


def texts_of(png: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return dict(image.text)  # type: ignore[attr-defined]  # a PNG has it


def with_chunk(name: bytes, content: bytes, png: bytes | None = None) -> bytes:
    png = png or a_png()
    chunk = struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
    return png[:33] + chunk + png[33:]


def with_recipe(**changes: Any) -> bytes:
    """A picture with a recipe in which somebody changed something; None takes a key out."""
    values = json.loads(a_recipe().to_json()) | changes
    text = json.dumps({name: value for name, value in values.items() if value is not ...})
    return with_chunk(b"iTXt", b"wan-recipe\0\0\0\0\0" + text.encode())


# The recipe


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=300).map(tidy)


@given(
    prompt=words.filter(bool),
    negative_prompt=words,
    image_size=st.sampled_from(ImageSize),
    seed=st.integers(0, SEED_MAX),
    prompt_extend=st.booleans(),
    engine=st.sampled_from(Backend),
    cost=st.none() | st.floats(0, 100),
    created=st.datetimes(timezones=st.just(timezone.utc)),
    references=st.lists(st.sampled_from(HASHES), min_size=1, max_size=3).map(tuple),
)
def test_what_is_put_in_comes_out(prompt: str, engine: Backend, **values: Any) -> None:
    recipe = replace(a_recipe(prompt, engine=engine), **values)
    assert read(embed(PNG, recipe)) == recipe


PNG = a_png()


def test_it_holds_what_was_sent() -> None:
    recipe = a_recipe("  sketch\r\n ")
    assert (recipe.prompt, recipe.seed, recipe.image_size) == ("sketch", 7, ImageSize.LANDSCAPE_16_9)
    assert (recipe.model, recipe.cost) == ("wan-ai/wan-2-6/image-to-image", 0.03)
    with pytest.raises(InvalidRequest):
        a_recipe("")


def test_a_previews_recipe_names_no_model_and_no_price() -> None:
    recipe = a_recipe(engine=Backend.SANDBOX)
    assert (recipe.model, recipe.cost) == ("local preview", None)
    told = json.loads(recipe.to_json())
    assert told["engine"] == "sandbox"
    assert "wan-ai" not in json.dumps(told)


def test_the_longest_prompt_fits() -> None:
    prompt = "\N{GRINNING FACE}" * 1999
    assert count_characters(prompt) == 1999
    recipe = a_recipe(prompt)
    assert read(embed(PNG, recipe)) == recipe
    with pytest.raises(ValueError, match="at most"):
        embed(PNG, a_recipe("a" + "\u0301" * RECIPE_BYTES_MAX))


def test_settings_go_back_into_the_form() -> None:
    form = settings_of(a_recipe("sketch"))
    assert form == Form("sketch", image_size="1280*720 (16:9)", seed=7, prompt_extend=False)


# The copies


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16"])
def test_pixel_data_is_not_touched(mode: str) -> None:
    png = a_png(mode)
    for copy in (embed(png, a_recipe()), strip(png)):
        assert pixel_data(copy) == pixel_data(png)
        with Image.open(io.BytesIO(copy)) as image, Image.open(io.BytesIO(png)) as original:
            assert image.mode == original.mode
            assert image.tobytes() == original.tobytes()


def test_the_recipe_is_one_text_before_the_pixels_and_all_else_stays() -> None:
    png = a_talkative_png()
    copy = embed(png, a_recipe())
    names = [name for name, _ in chunks(copy)]
    assert names.index(b"iTXt") < names.index(b"IDAT")
    assert json.loads(texts_of(copy)["wan-recipe"])["prompt"] == a_recipe().prompt
    added = [chunk for chunk in chunks(copy) if chunk[1].startswith(b"wan-recipe\0")]
    whole = [chunk for chunk in chunks(copy) if chunk not in added]
    assert len(added) == 1
    assert whole == chunks(png[: png.index(b"secret behind")])


def test_a_second_recipe_takes_the_place_of_the_first() -> None:
    twice = embed(embed(PNG, a_recipe("first")), a_recipe("second"))
    assert twice == embed(PNG, a_recipe("second"))


def test_a_clean_copy_is_the_picture_alone() -> None:
    clean = strip(embed(a_talkative_png(), a_recipe("secret prompt")))
    assert b"secret" not in clean
    assert b"wan" not in clean
    assert {name for name, _ in chunks(clean)} == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    assert texts_of(clean) == {}
    assert read(clean) is None


def test_what_decides_the_colours_stays() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = strip(a_png("P", icc_profile=profile, transparency=3))
    with Image.open(io.BytesIO(clean)) as image:
        assert image.info["icc_profile"] == profile
        assert image.info["transparency"] == 3


@pytest.mark.parametrize("broken", [b"", b"GIF89a", PNG[:20], PNG[:-12], PNG[:200], b"\xff\xd8\xff\xe0"])
def test_what_is_no_complete_png_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        embed(broken, a_recipe())
    with pytest.raises(ValueError, match="PNG"):
        strip(broken)


def test_copies_are_written_beside_the_apis_own_file(tmp_path: Path) -> None:
    result = tmp_path / "abc_output.png"
    result.write_bytes(PNG)
    recipe = a_recipe()
    with_it, clean = write_copies(result, recipe)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "abc_output.clean.png",
        "abc_output.png",
        "abc_output.recipe.png",
    ]
    assert (with_it.name, clean.name) == ("abc_output.recipe.png", "abc_output.clean.png")
    assert result.read_bytes() == PNG
    assert read(with_it) == recipe
    assert read(clean) is None
    assert write_copies(result, recipe) == (with_it, clean)


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("WEBP", "RGBA")]
)
def test_another_format_becomes_a_png_of_the_same_pixels(tmp_path: Path, kind: str, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret"
    result = tmp_path / f"abc_output.{kind.lower()}"
    Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 60).convert(mode).save(result, kind, exif=exif)
    recipe = a_recipe()
    with_it, clean = write_copies(result, recipe)
    assert with_it.suffix == clean.suffix == ".png"
    assert read(with_it) == recipe
    assert b"secret" not in clean.read_bytes()
    with Image.open(result) as original, Image.open(clean) as copy:
        upright = original.transpose(Image.Transpose.ROTATE_270)
        assert copy.size == upright.size == (48, 64)
        assert copy.tobytes() == (upright.convert("RGB") if mode == "CMYK" else upright).tobytes()


def test_rubbish_gets_no_copies(tmp_path: Path) -> None:
    result = tmp_path / "abc_output.png"
    for data in (b"", b"<html>", PNG[:100]):
        result.write_bytes(data)
        with pytest.raises((ValueError, OSError)):
            write_copies(result, a_recipe())
        assert [path.name for path in tmp_path.iterdir()] == ["abc_output.png"]


# Local previews


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A result of the sandbox, drawn."""
    folder = tmp_path_factory.mktemp("preview")
    photo = Path(__file__).parents[2] / "assets" / "photos" / "cat.jpg"
    with (
        Sandbox(SandboxSettings(run_time=(0.05, 0.05))) as sandbox,
        WanClient(Settings(Backend.SANDBOX, sandbox.url), folder=folder) as client,
    ):
        yield client.edit("secret wish: pencil sketch", str(photo)).path


def says_preview(png: bytes) -> bool:
    told = texts_of(png)
    return told.get("Title") == "Local preview" and "not made by the model" in told.get("Comment", "")


@pytest.mark.slow
def test_a_preview_says_so_in_both_copies_and_in_their_names(preview: Path) -> None:
    recipe = a_recipe(engine=Backend.SANDBOX)
    assert says_preview(preview.read_bytes())
    with_it, clean = write_copies(preview, recipe)
    assert says_preview(with_it.read_bytes())
    assert says_preview(clean.read_bytes())
    assert "local-preview" in with_it.name
    assert "local-preview" in clean.name
    assert set(texts_of(clean.read_bytes())) == {"Title", "Comment"}
    assert b"wish" not in clean.read_bytes()
    titles = [content for _, content in chunks(with_it.read_bytes()) if content.startswith(b"Title\0")]
    assert len(titles) == 1


@pytest.mark.slow
def test_a_preview_is_known_without_being_told(preview: Path) -> None:
    assert says_preview(strip(preview.read_bytes()))
    assert says_preview(strip(strip(preview.read_bytes())))
    assert says_preview(embed(preview.read_bytes(), a_recipe()))


def test_a_preview_that_lost_its_label_gets_it_back(tmp_path: Path) -> None:
    for name, data in (("output.png", PNG), ("output.jpg", a_jpeg())):
        result = tmp_path / name
        result.write_bytes(data)
        for copy in write_copies(result, a_recipe(engine=Backend.SANDBOX)):
            assert copy.name.startswith("local-preview_output.")
            assert says_preview(copy.read_bytes())


def a_jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(out, "JPEG")
    return out.getvalue()


# A dropped picture


def test_a_file_is_read_by_path_and_by_its_bytes(tmp_path: Path) -> None:
    recipe = a_recipe()
    file = tmp_path / "renamed.jpg"
    file.write_bytes(embed(PNG, recipe))
    assert read(file) == read(str(file)) == read(file.read_bytes()) == recipe


def test_pixels_are_not_decoded_and_keys_of_tomorrow_do_no_harm() -> None:
    claims = with_recipe(mood="calm", nested={"a": [1, 2]})
    huge = claims[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + claims[24:]
    assert read(huge) == a_recipe()
    whole = claims[: claims.index(b"IDAT") + 20]
    assert read(whole) == a_recipe()


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": ...},
        {"version": "1"},
        {"prompt": ""},
        {"prompt": "x" * 2000},
        {"prompt": 7},
        {"prompt": "\ud800"},
        {"prompt": ...},
        {"negative_prompt": "x" * 501},
        {"negative_prompt": None},
        {"image_size": "16:9"},
        {"image_size": ["1024*1024 (1:1)"]},
        {"seed": -1},
        {"seed": SEED_MAX + 1},
        {"seed": "7"},
        {"seed": 7.5},
        {"seed": True},
        {"seed": 10**400},
        {"prompt_extend": "true"},
        {"prompt_extend": 1},
        {"engine": "other"},
        {"model": ""},
        {"model": "m" * 201},
        {"request_id": "../../etc/passwd"},
        {"request_id": "r" * 129},
        {"request_id": None},
        {"cost": -1},
        {"cost": 1e300},
        {"cost": float("nan")},
        {"cost": "0.03"},
        {"cost": True},
        {"created": "yesterday"},
        {"created": 1_700_000_000},
        {"created": "2026-11-22T09:30:00"},
        {"created": "2026-11-22T09:30:00+09:00"},
        {"created": "0001-01-01T00:00:00+23:59"},
        {"references": []},
        {"references": [HASHES[0]] * 4},
        {"references": ["A" * 64]},
        {"references": ["a" * 63]},
        {"references": ["a" * 64 + "\n"]},
        {"references": "a" * 64},
        {"references": None},
    ],
    ids=str,
)
def test_one_wrong_value_makes_it_no_recipe(changes: dict[str, Any]) -> None:
    assert read(with_recipe()) == a_recipe()
    assert read(with_recipe(**changes)) is None


HEAD = b"wan-recipe\0\0\0\0\0"


@pytest.mark.parametrize(
    "content",
    [
        b"wan-recipe",
        b"wan-recipe\0",
        HEAD,
        HEAD + b"null",
        HEAD + b"[]",
        HEAD + b"[" * 100_000,
        HEAD + b'{"version":' * 10_000,
        HEAD + b"\xff\xfe",
        HEAD + b'{"version": 1}' + b" " * RECIPE_BYTES_MAX,
        HEAD + b"9" * 100_000,
        b"wan-recipe\0\1\0\0\0" + zlib.compress(b" " * 50_000_000, 1),
        b"wan-recipe\0\0\0en\0\0" + a_recipe().to_json(),
    ],
    ids=range(12),
)
def test_a_chunk_that_makes_no_sense_is_no_recipe(content: bytes) -> None:
    assert read(with_chunk(b"iTXt", content)) is None
    assert read(embed(with_chunk(b"iTXt", content), a_recipe())) == a_recipe()
    assert strip(with_chunk(b"iTXt", content)) == PNG


def test_a_recipe_under_another_name_or_behind_the_pixels_is_not_looked_for() -> None:
    text = HEAD + a_recipe().to_json()
    assert read(with_chunk(b"tEXt", text)) is None
    end = len(PNG) - 12
    chunk = with_chunk(b"iTXt", text)[33 : 33 + 12 + len(text)]
    assert read(PNG[:end] + chunk + PNG[end:]) is None
    assert read(PNG[:33] + chunk[:-1] + b"\0" + PNG[33:]) is None
    assert read(with_chunk(b"iTXt", text, with_chunk(b"iCCP", b"x" * 1000))) == a_recipe()
    far = with_chunk(b"junk", b"\0" * HEAD_BYTES_MAX, with_chunk(b"iTXt", text))
    assert read(far) is None


@given(st.binary(max_size=400))
def test_rubbish_is_no_recipe(data: bytes) -> None:
    assert read(data) is None
    assert read(b"\x89PNG\r\n\x1a\n" + data) is None


@given(st.integers(0, 1200), st.binary(min_size=1, max_size=8))
def test_a_damaged_recipe_is_the_same_one_or_none(place: int, damage: bytes) -> None:
    whole = embed(PNG, a_recipe())
    assert read(whole[:place] + damage + whole[place + len(damage) :]) in {None, a_recipe()}
    assert read(whole[:place]) in {None, a_recipe()}


def test_what_is_no_readable_file_has_no_recipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "none.png", tmp_path, pipe, "/dev/zero", "a\0b", ""):
        assert read(path) is None


# The references


def test_a_dropped_original_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(a_jpeg())
    renamed = tmp_path / "IMG_0001.jpg"
    renamed.write_bytes(a_jpeg())
    recipe = a_recipe(references=(fingerprint(file),))
    assert differing(recipe, (fingerprint(renamed), None, None)) == ()


@pytest.mark.parametrize(
    ("slots", "numbers"),
    [
        (HASHES[:2], ()),
        ((*HASHES[:2], None), ()),
        ((HASHES[1], HASHES[0], None), (1, 2)),
        ((HASHES[0], HASHES[2], None), (2,)),
        ((HASHES[0], None, None), (2,)),
        ((), (1, 2)),
        (HASHES, (3,)),
    ],
)
def test_each_slot_that_holds_something_else_is_named(slots: tuple[str | None, ...], numbers: tuple[int, ...]) -> None:
    assert differing(a_recipe(), slots) == numbers


@pytest.mark.parametrize("language", sorted(translations()))
def test_the_page_says_which_picture_is_not_the_one_used_then(language: str) -> None:
    texts = Texts(language)
    told = unescape(restored(texts, a_recipe(), (None, HASHES[2], HASHES[0])))
    assert texts("recipe.restored") in told
    assert texts("recipe.image_missing", number=1) in told
    assert texts("recipe.image_other", number=2) in told
    assert texts("recipe.image_extra", number=3) in told
    assert texts("recipe.was_preview") not in told
    same = restored(texts, a_recipe(engine=Backend.SANDBOX), (*HASHES[:2], None))
    assert texts("recipe.was_preview") in same
    assert texts("recipe.image_other", number=1) not in same


def test_time_is_told_in_utc() -> None:
    assert json.loads(a_recipe().to_json())["created"] == "2026-11-22T09:30:00Z"
    assert a_recipe(created=WHEN + timedelta(seconds=1)) != a_recipe()
