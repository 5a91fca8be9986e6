"""``wan_client keep``: the result where a mask allows it, and the original everywhere else. No run, no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wan_client.errors import InvalidRequest, SettingsError
from wan_client.files import part_beside
from wan_client.messages import MESSAGES
from wan_client.provenance import KEPT_NAME, PREVIEW_NAME

from .main import HELP, Parser

if TYPE_CHECKING:
    import argparse

    from wan_client.compare import Alignment, Kept

    from .console import Console


def work(_command: str, arguments: argparse.Namespace, console: Console) -> None:
    """Write the kept composite."""
    try:
        from wan_client.compare import keep  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        raise SettingsError("compare_missing") from None
    sources = [Path(name) for name in (arguments.original, arguments.result, arguments.mask)]
    if arguments.out and any(source.exists() and _is_same(arguments.out, source) for source in sources):
        raise InvalidRequest("kept_is_source", field="out", file=arguments.out.name)
    kept = keep(*sources, size=arguments.size)
    name = f"{sources[0].stem}_{KEPT_NAME}.png"
    named = arguments.out or Path(f"{PREVIEW_NAME}_{name}" if kept.preview else name)
    path = _write(_with_recipe(kept, *sources[:2], size=arguments.size), named, replace=arguments.out is not None)
    console.info(_alignment_text(kept.alignment))
    if kept.preview:
        console.info(MESSAGES["cli.keep.preview"])
    width, height = kept.size
    values = {
        "path": str(path),
        "width": width,
        "height": height,
        "aligned": kept.alignment.sure,
        "moved": round(kept.alignment.moved, 2),
        "scale": round(kept.alignment.scale, 5),
        "rotation": round(kept.alignment.rotation, 3),
        "preview": kept.preview,
    }
    console.result([str(path)], values)


def _with_recipe(kept: Kept, original: Path, result: Path, *, size: Literal["result", "original"]) -> bytes:
    """Return the file, with a recipe where the result has one and the original is one of its references."""
    try:
        from wan_client.recipe import KeptParts, embed, fingerprint, mask_text, read  # noqa: PLC0415  # an extra
    except ImportError:
        return kept.png()
    recipe, digest = read(result), fingerprint(original)
    if recipe is None or kept.mask is None or digest not in recipe.references:
        return kept.png()
    parts = KeptParts(mask_text(kept.mask), recipe.references.index(digest) + 1, size)
    return embed(kept.png(), replace(recipe, kept=parts))


def make_parser(command: str) -> Parser:
    """Return the parser of the command's arguments."""
    parser = Parser(prog=f"wan_client {command}", description=HELP["keep"])
    parser.add_argument("original", help=HELP["keep_original"])
    parser.add_argument("result", help=HELP["keep_result"])
    parser.add_argument("--mask", required=True, help=HELP["keep_mask"])
    parser.add_argument("--size", choices=("result", "original"), default="result", help=HELP["keep_size"])
    parser.add_argument("-o", "--out", type=Path, help=HELP["keep_out"])
    return parser


def _alignment_text(alignment: Alignment) -> str:
    if not alignment.sure:
        return MESSAGES["cli.keep.not_aligned"]
    pixels, percent = round(alignment.moved), round(100 * alignment.scale)
    if abs(alignment.rotation) < 0.1:
        return MESSAGES["cli.keep.aligned"].format(pixels=pixels, percent=percent)
    degrees = f"{alignment.rotation:.1f}"
    return MESSAGES["cli.keep.aligned_turned"].format(pixels=pixels, percent=percent, degrees=degrees)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and one.samefile(other))


def _write(data: bytes, file: Path, *, replace: bool) -> Path:
    """Write a PNG whole or not at all; a file is replaced only under the very name that was given."""
    wanted = file if file.suffix.lower() == ".png" else file.with_name(f"{file.name}.png")
    replace = replace and wanted == file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part_beside(file) as part:
            part.write_bytes(data)
            if not replace:
                wanted = _reserved(wanted)
            part.replace(wanted)
    except OSError:
        raise SettingsError("kept_not_writable", file=file.name) from None
    return wanted


def _reserved(file: Path) -> Path:
    """Create an empty file under a name that is free: the one given, or one with a number."""
    number, free = 1, file
    while True:
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            free = file.with_name(f"{file.stem}-{number}{file.suffix}")
        else:
            return free
