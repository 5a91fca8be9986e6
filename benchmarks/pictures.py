"""How much memory preparing a picture takes at its peak, and how long it takes, by format and size.

    python -m benchmarks.pictures [--only PNG WEBP]

Every picture is a photograph enlarged, written to a file, and prepared in a process of its own. ``MB`` is the
highest resident memory of that process above what it had before, the file included; ``B/px`` is the same for each
pixel. Most of it is what Pillow's decoders hold: 4 bytes for each pixel in colour, and for the newer formats copies
beside it. A compressed TIFF is mapped by its library, so that its file counts although the system can take that
memory back.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from wan_client import prepare

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "assets" / "photos" / "cat.jpg"
# Sizes that cameras and phones write, and for each format one near the largest that is accepted.
CASES: tuple[tuple[str, int, int, str, dict[str, Any]], ...] = (
    ("JPEG", 4032, 3024, "RGB", {}),
    ("JPEG", 8064, 6048, "RGB", {}),
    ("JPEG", 16320, 12240, "RGB", {}),
    ("JPEG", 8000, 6000, "RGB", {"progressive": True, "subsampling": 0}),
    ("JPEG", 8000, 6000, "CMYK", {}),
    ("PNG", 6000, 4000, "RGB", {"compress_level": 1}),
    ("PNG", 8500, 8500, "RGB", {"compress_level": 1}),
    ("PNG", 8500, 8500, "RGBA", {"compress_level": 1}),
    ("PNG", 10000, 10000, "P", {"compress_level": 1}),
    ("PNG", 8500, 8500, "I;16", {"compress_level": 1}),
    ("WEBP", 6000, 4000, "RGB", {}),
    ("WEBP", 6000, 4000, "RGBA", {"lossless": True, "method": 0}),
    ("AVIF", 7300, 5470, "RGB", {"speed": 10}),
    ("HEIF", 8064, 6048, "RGB", {}),
    ("JPEG2000", 6000, 4000, "RGB", {"quality_mode": "rates", "quality_layers": [20]}),
    ("JPEG2000", 8000, 6000, "RGB", {"quality_mode": "rates", "quality_layers": [20]}),
    ("TIFF", 8500, 8500, "RGB", {}),
    ("TIFF", 8500, 8500, "RGB", {"compression": "tiff_lzw"}),
    ("BMP", 8500, 8500, "RGB", {}),
    ("GIF", 10000, 10000, "P", {}),
)


class Peak(NamedTuple):
    """What preparing a picture took, and the size that came of it."""

    megabytes: float
    seconds: float
    width: int
    height: int


def measure(file: Path) -> Peak:
    """Prepare a file in a process of its own (on Linux).

    Raises:
        subprocess.CalledProcessError: It can't be prepared.
    """
    command = [sys.executable, "-m", "benchmarks.pictures", "--file", str(file.absolute())]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True)
    return Peak(*json.loads(done.stdout))


def _measure_here(file: Path) -> Peak:
    prepare(PHOTO)  # what is loaded once for all pictures does not count
    before, began = _resident("VmRSS"), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    prepared = prepare(file)
    return Peak(_resident("VmHWM") - before, time.perf_counter() - began, prepared.width, prepared.height)


def _resident(name: str) -> float:
    """Return the resident memory in MB: ``VmRSS`` now, ``VmHWM`` at its highest."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


def main() -> None:
    """Measure all cases and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="FORMAT")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file:
        print(json.dumps(_measure_here(arguments.file)))
        return
    prepare(PHOTO)  # registers the formats
    photo = Image.open(PHOTO).convert("RGB")
    print(f"{'':38}{'MP':>6}{'file MB':>9}{'MB':>7}{'B/px':>7}{'s':>7}  sent as", flush=True)
    for kind, width, height, mode, options in CASES:
        if arguments.only and kind not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"picture.{kind.lower()}"
            image = photo.resize((width, height))
            image = image.convert("L").convert("I").point(lambda v: v * 257).convert(mode) if mode == "I;16" else image
            image.convert(mode).save(file, kind, **options)
            del image
            pixels, size = width * height / 1e6, file.stat().st_size / 1e6
            name = " ".join(
                [kind, mode, *(word for word in ("progressive", "lossless", "compression") if word in options)]
            )
            try:
                peak = measure(file)
            except subprocess.CalledProcessError as problem:
                print(f"{name:38}{pixels:6.1f}{size:9.1f}  {problem.stderr.splitlines()[-1]}", flush=True)
                continue
            columns = f"{peak.megabytes:7.0f}{peak.megabytes / pixels:7.1f}{peak.seconds:7.2f}"
            print(f"{name:38}{pixels:6.1f}{size:9.1f}{columns}  {peak.width} × {peak.height}", flush=True)


if __name__ == "__main__":
    main()
