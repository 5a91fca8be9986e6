"""The loop: from before to after and back, small enough for a chat, with what it is written into it."""

from __future__ import annotations

import io
import random
import stat
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageSequence

from wan_client.export import WIPE_BYTES_MAX, Destination, ExportError, WipeFormat, video_available, wipe

from .support import PROMPT, RUN, item

if TYPE_CHECKING:
    from pathlib import Path

ANIMATED = [WipeFormat.WEBP, WipeFormat.GIF]


def noise(seed: int, size: tuple[int, int] = (1024, 1024)) -> bytes:
    """The picture that is hardest to make small."""
    out = io.BytesIO()
    Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3)).save(
        out, "PNG", compress_level=0
    )
    return out.getvalue()


def plain(colour: str, size: tuple[int, int] = (400, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ANIMATED)
def test_it_goes_from_before_to_after_and_back(kind: WipeFormat) -> None:
    made = wipe(item(before=plain("#ff0000"), after=plain("#0000ff")), kind)
    with Image.open(io.BytesIO(made)) as loop:
        assert loop.format == kind.name
        assert loop.info.get("loop") == 0, "for ever"
        blue = []
        for frame in ImageSequence.Iterator(loop):
            red, _, other = frame.convert("RGB").resize((100, 1), Image.Resampling.BOX, (0, 80, 400, 120)).split()
            bluer = ImageChops.subtract(other, red).point(lambda value: 255 * (value > 100))
            blue.append(bluer.histogram()[255])
    assert blue[0] == 0
    turn = blue.index(100)
    assert blue[: turn + 1] == sorted(blue[: turn + 1])
    assert blue[turn:] == sorted(blue[turn:], reverse=True)


@pytest.mark.parametrize("kind", ANIMATED)
def test_the_hardest_picture_stays_small(kind: WipeFormat) -> None:
    hard = item(before=noise(1), after=noise(2))
    assert len(wipe(hard, kind, destination=Destination.SLIDE)) < WIPE_BYTES_MAX, "the larger of two"


@pytest.mark.parametrize("kind", ANIMATED)
def test_the_size_is_that_of_the_place(kind: WipeFormat) -> None:
    large = item(before=plain("red", (2000, 1000)), after=plain("blue", (2000, 1000)))
    sizes = [Image.open(io.BytesIO(wipe(large, kind, destination=place))).size for place in Destination]
    assert sizes[0] == (640, 320)
    assert sizes[1][0] > 640


def test_a_small_picture_is_not_enlarged() -> None:
    assert Image.open(io.BytesIO(wipe(item()))).size == (96, 64)


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("mark", ["preview", "prepared", "kept"])
def test_what_must_be_said_is_drawn_on_every_frame(kind: WipeFormat, mark: str) -> None:
    ends = {"before": plain("#333333"), "after": plain("#888888")}
    said, silent = (
        [frame.convert("RGB") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(wipe(shown, kind))))]
        for shown in (item(**ends, **{mark: True}), item(**ends))  # type: ignore[arg-type]
    )
    corner = (0, 150, 120, 200)
    assert len(said) == len(silent)
    for one, other in zip(said, silent, strict=True):
        difference = ImageChops.difference(one.crop(corner), other.crop(corner)).convert("L")
        assert difference.getextrema()[1] > 60  # type: ignore[operator]  # of one band


def test_the_files_say_so_too() -> None:
    assert b"Local preview" in wipe(item(preview=True), "gif")
    assert b"Local preview" in wipe(item(preview=True), "webp")


@pytest.mark.parametrize("kind", ANIMATED)
def test_the_recipe_is_there_only_where_it_is_wanted(kind: WipeFormat) -> None:
    clean, full = wipe(item(), kind), wipe(item(), kind, with_recipe=True)
    assert RUN.encode() not in clean
    assert PROMPT.encode() not in clean
    with Image.open(io.BytesIO(full)) as opened:
        said = opened.info["comment" if kind is WipeFormat.GIF else "xmp"]
    assert RUN.encode() in said
    assert PROMPT.encode() in said


def test_without_a_picture_from_before_there_is_nothing_to_wipe() -> None:
    with pytest.raises(ExportError) as problem:
        wipe(item(before=None))
    assert problem.value.code == "export_no_before"


def encoder(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for ffmpeg, which the machine may not have."""
    file = folder / "ffmpeg"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_video_is_what_the_encoder_makes_of_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = tmp_path / "facts"
    # The last argument is the file; the facts are the second input.
    script = f'for last; do :; done; wc -c > "$last"; while [ "$1" != - ]; do shift; done; cp "$3" {facts}'
    encoder(tmp_path, script, monkeypatch)
    assert video_available()
    shown = item(preview=True, before=plain("red", (400, 201)), after=plain("blue", (400, 201)))
    received = int(wipe(shown, "mp4", with_recipe=True))
    frame = 400 * 200 * 3
    assert received % frame == 0, "whole frames with even sides"
    assert received // frame > 40
    assert "Local preview" in facts.read_text("utf-8")
    assert RUN in facts.read_text("utf-8")


@pytest.mark.parametrize("script", ["exit 1", "cat > /dev/null; exit 1"])
def test_an_encoder_that_fails_is_a_sentence(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder(tmp_path, script, monkeypatch)
    with pytest.raises(ExportError) as problem:
        wipe(item(), "mp4")
    assert problem.value.code == "video_failed"


def test_no_encoder_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not video_available()
    with pytest.raises(ExportError) as problem:
        wipe(item(), "mp4")
    assert problem.value.code == "video_missing"
