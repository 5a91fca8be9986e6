"""A short loop that wipes from before to after and back, for a chat or a slide."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

from wan_client.errors import ExportError

from . import typeset
from .item import decoded, pictures_of
from .progress import Steps
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .item import ExportItem
    from .progress import Progress

WIPE_BYTES_MAX = 8_000_000
ENCODER = "ffmpeg"

_FRAME_MS = 50
_HOLD_BEFORE_MS, _HOLD_AFTER_MS = 900, 1600
_STEPS_THERE, _STEPS_BACK = 22, 10
_SMALLEST = 160
_COLOURS = 254  # and white, for the line
_WEBP_QUALITY = 82
_LINE = (255, 255, 255)


class WipeFormat(str, Enum):
    """What a wipe is written as."""

    WEBP = "webp"
    GIF = "gif"
    MP4 = "mp4"


class Destination(str, Enum):
    """Where a wipe goes, which decides its size."""

    CHAT = "chat"
    SLIDE = "slide"

    def side(self, kind: WipeFormat) -> int:
        """Return the most pixels of the longer side."""
        if self is Destination.CHAT:
            return 640
        return 960 if kind is WipeFormat.GIF else 1280


def video_available() -> bool:
    """Return whether this machine can write MP4."""
    return shutil.which(ENCODER) is not None


def wipe(
    item: ExportItem,
    kind: WipeFormat | str = WipeFormat.WEBP,
    *,
    destination: Destination | str = Destination.CHAT,
    language: str = "en",
    with_recipe: bool = False,
    number: int = 1,
    on_progress: Progress | None = None,
) -> bytes:
    """Return the loop, of less than `WIPE_BYTES_MAX`.

    Args:
        item: What is shown. It must have a picture from before.
        kind: What it is written as.
        destination: Where it goes, which decides its size.
        language: One of `LANGUAGES`.
        with_recipe: Whether the file carries the recipe, as its comment.
        number: The item's place among several, for messages.
        on_progress: Called once, with 1, as the file is done.

    Raises:
        ExportError: There is no picture from before, or an MP4 can't be written here.
        ImageError: A picture can't be read.
    """
    kind, words, steps = WipeFormat(kind), Words(language), Steps([item], on_progress)
    pictures = pictures_of(item, number)
    if pictures.before is None:
        raise ExportError("export_no_before", number=number)
    whole = decoded(pictures.before, number), decoded(pictures.after, number)
    about = [Words("en")(mark) for mark in item.marks]
    if with_recipe and item.recipe:
        about.append(item.recipe.to_json().decode())
    side = Destination(destination).side(kind)
    while True:
        ends = [_labelled(_reduced(image, side), name, item, words) for name, image in zip(_ENDS, whole, strict=True)]
        data = _WRITERS[kind](ends[0], ends[1], " · ".join(about))
        if len(data) < WIPE_BYTES_MAX or side <= _SMALLEST:
            steps.done()
            return data
        side = max(_SMALLEST, int(side * 0.8))


_ENDS = ("before", "after")


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Return the picture, reduced to this side at most, with even sides, as videos need them."""
    scale = min(1.0, side / max(image.size))
    size = [max(2, round(edge * scale / 2) * 2) for edge in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _labelled(image: Image.Image, name: str, item: ExportItem, words: Words) -> Image.Image:
    """Return the picture with its name in an upper corner and, below that, the marks that it must carry."""
    size = max(11.0, 0.026 * (image.width * image.height) ** 0.5)
    margin = round(size * 0.8)
    labelled = image.copy()
    _draw_label(labelled, words(name), size, words, right=name == "after", top=margin)
    bottom = image.height - margin
    for mark in reversed(item.marks):
        bottom -= round(size * 1.75)
        _draw_label(labelled, words(mark), size, words, right=False, top=bottom)
        bottom -= margin // 2
    return labelled


def _draw_label(image: Image.Image, text: str, size: float, words: Words, *, right: bool, top: int) -> None:
    font, language = typeset.font(size), typeset.shaping(words.tag)
    text = typeset.drawable(text)
    margin, height = round(size * 0.8), round(size * 1.75)
    width = round(font.getlength(text, language=language) + size * 1.3)
    left = image.width - margin - width if right else margin
    # Drawn large and reduced: ImageDraw's own corners are jagged.
    shape = Image.new("L", (width * 4, height * 4))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, width * 4 - 1, height * 4 - 1), height * 2, fill=205)
    image.paste((14, 17, 23), (left, top), shape.resize((width, height), Image.Resampling.BOX))
    place = (left + width / 2, top + height / 2)
    ImageDraw.Draw(image).text(place, text, (255, 255, 255), font, anchor="mm", language=language)


def _timeline() -> list[tuple[float, int]]:
    """Return for each frame how much of it shows after, and for how many milliseconds."""
    there = [_eased(step / _STEPS_THERE) for step in range(1, _STEPS_THERE)]
    back = [_eased(1 - step / _STEPS_BACK) for step in range(1, _STEPS_BACK)]
    return [
        (0.0, _HOLD_BEFORE_MS),
        *((cut, _FRAME_MS) for cut in there),
        (1.0, _HOLD_AFTER_MS),
        *((cut, _FRAME_MS) for cut in back),
    ]


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


def _frames(before: Image.Image, after: Image.Image, line: int | tuple[int, int, int]) -> Iterator[Image.Image]:
    """Yield each frame: before on the left of the line, after on its right."""
    width, height = before.size
    thick = max(2, round(width / 260))
    for cut, _ in _timeline():
        place = round((1 - cut) * width)
        frame = after.copy()
        frame.paste(before.crop((0, 0, place, height)), (0, 0))
        if 0 < place < width:
            frame.paste(line, (max(0, place - thick // 2), 0, min(width, place - thick // 2 + thick), height))
        yield frame


def _webp(before: Image.Image, after: Image.Image, about: str) -> bytes:
    words = {"xmp": _xmp(about)} if about else {}
    return _animated(_frames(before, after, _LINE), "WEBP", quality=_WEBP_QUALITY, method=2, **words)


def _gif(before: Image.Image, after: Image.Image, about: str) -> bytes:
    # One palette for all, so that a frame holds only what the line passed over.
    both = Image.new("RGB", (before.width, before.height * 2))
    both.paste(before, (0, 0))
    both.paste(after, (0, before.height))
    palette = both.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    palette.putpalette([*(palette.getpalette() or [])[: 3 * _COLOURS], *_LINE])
    ends = [image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for image in (before, after)]
    words = {"comment": about.encode()} if about else {}
    return _animated(_frames(ends[0], ends[1], _COLOURS), "GIF", optimize=False, **words)


def _animated(frames: Iterator[Image.Image], file_format: str, **options: Any) -> bytes:
    first, *rest = frames
    out = io.BytesIO()
    durations = [duration for _, duration in _timeline()]
    first.save(out, file_format, save_all=True, append_images=rest, duration=durations, loop=0, **options)
    return out.getvalue()


def _mp4(before: Image.Image, after: Image.Image, about: str) -> bytes:
    if not (encoder := shutil.which(ENCODER)):
        raise ExportError("video_missing")
    with tempfile.TemporaryDirectory() as folder:
        facts, video = Path(folder, "facts.txt"), Path(folder, "wipe.mp4")
        facts.write_text(f";FFMETADATA1\ncomment={_ini_escaped(about)}\n", "utf-8")
        command = [
            encoder, "-loglevel", "error", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{before.width}x{before.height}",
            "-r", str(1000 // _FRAME_MS), "-i", "-", "-i", str(facts), "-map", "0:v", "-map_metadata", "1",
            "-pix_fmt", "yuv420p", "-preset", "veryfast", "-movflags", "+faststart", str(video),
        ]  # fmt: skip
        try:
            with subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                assert process.stdin  # noqa: S101  # asked for above
                for frame, (_, duration) in zip(_frames(before, after, _LINE), _timeline(), strict=True):
                    for _ in range(duration // _FRAME_MS):
                        process.stdin.write(frame.tobytes())
            return video.read_bytes()
        except OSError as problem:  # it ended early, or left no file
            raise ExportError("video_failed") from problem


def _xmp(about: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{escape(about)}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _ini_escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "=;#\\\n" else char for char in text)


_WRITERS = {WipeFormat.WEBP: _webp, WipeFormat.GIF: _gif, WipeFormat.MP4: _mp4}
