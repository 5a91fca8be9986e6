"""How long it takes to make what is sent round: a page and a sheet of nine results, a wipe of one.

    python -m benchmarks.export

Each number is the best of three, in this process, after one of each has been made. ``CPU`` is what the process itself
computed, which a busy machine does not change much; an MP4 is computed by another.
"""

from __future__ import annotations

import io
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from wan_client import Backend, ImageSize
from wan_client.export import Destination, ExportItem, WipeFormat, page, sheet, video_available, wipe

if TYPE_CHECKING:
    from collections.abc import Callable

PHOTOS = sorted((Path(__file__).parent.parent / "assets" / "photos").glob("*.jpg"))
RESULTS = 9
TIMES = 3


def results() -> list[ExportItem]:
    """Return nine results of the model's size: a photograph, and the same in other colours."""
    items = []
    for number in range(RESULTS):
        photo = PHOTOS[number % len(PHOTOS)]
        with Image.open(photo) as opened:
            image = ImageOps.fit(opened.convert("RGB"), ImageSize.SQUARE.pixels)
        out = io.BytesIO()
        ImageOps.posterize(ImageOps.autocontrast(image), 5).save(out, "PNG")
        items.append(
            ExportItem(
                after=out.getvalue(),
                prompt="Turn image 1 into a poster, and leave the background as it is",
                before=photo.read_bytes(),
                image_size=ImageSize.SQUARE,
                engine=Backend.RUNCOMFY,
                created=datetime(2026, 11, 22, tzinfo=timezone.utc),
            )
        )
    return items


def best(make: Callable[[], bytes | list[bytes]]) -> tuple[float, float, float]:
    """Return the seconds and the seconds of CPU, the best of three each, and the megabytes."""
    make()
    seconds, cpu, size = [], [], 0
    for _ in range(TIMES):
        began, worked = time.perf_counter(), time.process_time()
        made = make()
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - worked)
        size = len(made) if isinstance(made, bytes) else sum(map(len, made))
    return min(seconds), min(cpu), size / 1e6


def main() -> None:
    """Measure all cases and print one line each."""
    items = results()
    cases: dict[str, Callable[[], bytes | list[bytes]]] = {
        f"page of {RESULTS}": lambda: page(items),
        f"sheet of {RESULTS}, PDF": lambda: sheet(items, "pdf"),
        f"sheet of {RESULTS}, PNG": lambda: sheet(items, "png"),
    }
    for kind in WipeFormat:
        if kind is not WipeFormat.MP4 or video_available():
            for place in Destination:
                cases[f"wipe for a {place.value}, {kind.name}"] = lambda kind=kind, place=place: wipe(  # type: ignore[misc]
                    items[0], kind, destination=place
                )
    print(f"{'':28}{'s':>7}{'CPU':>7}{'MB':>8}")
    for name, make in cases.items():
        seconds, cpu, megabytes = best(make)
        print(f"{name:28}{seconds:7.2f}{cpu:7.2f}{megabytes:8.2f}", flush=True)


if __name__ == "__main__":
    main()
