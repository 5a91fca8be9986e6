"""What comparing costs: aligning, mapping and keeping beside what opening and writing the same pictures take.

    python -m benchmarks.compare [--times 5]

On one core (OpenCV uses one thread; only the kept composite's file is compressed by two). CPU seconds are the median of
several times; ``MB`` is the highest resident memory of a process that opens a 24-megapixel JPEG, keeps a composite of
it and writes that, with all that it has loaded.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.pictures import PHOTO, ROOT, _resident
from wan_client.compare import Kept, align, change_map, keep

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = (1024, 1024)
LARGE = (6000, 4000)
_PATCH = (350, 400, 600, 650)
_ASTRONAUT = PHOTO.with_name("astronaut.jpg")


def _noised(image: Image.Image) -> Image.Image:
    """Add a camera's grain to a picture, without which it would compress far too well."""
    pixels = np.asarray(image).astype(np.int16)
    rng = np.random.default_rng(0)
    return Image.fromarray(np.clip(pixels + rng.integers(-3, 4, pixels.shape, np.int16), 0, 255).astype(np.uint8))


def _made(original: Image.Image) -> Image.Image:
    """Return the original zoomed, turned, and changed in one place."""
    scale = FRAME[0] / min(original.size)
    across = (FRAME[0] - scale * original.width) / 2
    matrix = np.array([[1.03 * scale, -0.01, across - 12], [0.01, 1.03 * scale, -9.0]])
    pixels = cv2.warpAffine(np.asarray(original), matrix, FRAME, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    result = Image.fromarray(pixels)
    result.paste(Image.open(PHOTO).convert("RGB").resize((250, 250)), _PATCH[:2])
    return result


def _cpu(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def _kept_here(folder: Path) -> dict[str, Any]:
    """Keep a composite of the files in a folder, and return its seconds and memory."""
    small = Image.open(_ASTRONAUT).convert("RGB").resize((256, 256))
    keep(small, small, Image.new("L", small.size, 255)).png()  # what is loaded once does not count
    result, mask = Image.open(folder / "result.png"), Image.open(folder / "mask.png")
    alignment = align(folder / "original.jpg", result)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    began, cpu = time.perf_counter(), time.process_time()
    kept: Kept = keep(folder / "original.jpg", result, mask, alignment=alignment, size="original")
    blended, blended_cpu = time.perf_counter() - began, time.process_time() - cpu
    kept.png()
    return {
        "blended": blended,
        "seconds": time.perf_counter() - began,
        "blended_cpu": blended_cpu,
        "cpu": time.process_time() - cpu,
        "megabytes": _resident("VmHWM"),
    }


def main() -> None:
    """Measure all cases and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.folder:
        print(json.dumps(_kept_here(arguments.folder)))
        return
    original = _noised(Image.open(_ASTRONAUT).convert("RGB").resize(FRAME))
    result = _made(original)
    alignment = align(original, result)
    buffer = io.BytesIO()
    result.save(buffer, "PNG")
    opening = _cpu(lambda: Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"), arguments.times)
    aligning = _cpu(lambda: align(original, result), arguments.times)
    mapping = _cpu(lambda: change_map(original, result, alignment), arguments.times)
    print(f"1024 × 1024, CPU s: open {opening:.3f}, align {aligning:.3f}, map {mapping:.3f}", flush=True)
    print(f"align and map against opening the result: {(aligning + mapping) / opening:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = _noised(original.resize(LARGE))
        large.save(folder / "original.jpg", quality=95)
        result = _made(large)
        result.save(folder / "result.png")
        mask = Image.new("L", FRAME)
        mask.paste(255, _PATCH)
        mask.save(folder / "mask.png")
        command = [sys.executable, "-m", "benchmarks.compare", "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True)
        took = json.loads(done.stdout)
        began, cpu = time.perf_counter(), time.process_time()
        large.save(io.BytesIO(), "PNG", compress_level=1)
        plain, plain_cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"24 MP, s: open and blend {took['blended']:.2f} (CPU {took['blended_cpu']:.2f}), ", end="")
    print(f"with the file {took['seconds']:.2f} (CPU {took['cpu']:.2f}), MB {took['megabytes']:.0f}")
    print(f"Pillow writes the same pixels in {plain:.2f} (CPU {plain_cpu:.2f})")


if __name__ == "__main__":
    main()
