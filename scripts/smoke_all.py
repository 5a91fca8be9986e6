"""Run ``scripts/smoke.py`` on every other Python of this machine, from 3.10 to 3.14, and print which ones ran.

Looked for on the path and among those that pyenv and uv keep. Each gets a virtual environment with the pinned
requirements.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINORS = range(10, 15)
SECONDS = 600


def main() -> int:
    """Run the smoke test on each Python; return 1 if it failed on one."""
    found = pythons()
    outcomes = {f"3.{minor}": "not on this machine" for minor in MINORS}
    outcomes[f"3.{sys.version_info.minor}"] = "left to the tests"
    failed = False
    for minor, python in sorted(found.items()):
        began = time.monotonic()
        ran = smoke(python)
        failed |= ran.returncode != 0
        outcome = "failed" if ran.returncode else f"passed in {time.monotonic() - began:.0f} s"
        outcomes[f"3.{minor}"] = f"{outcome} ({python})"
        if ran.returncode:
            print(ran.stdout, file=sys.stderr)
    for version, outcome in outcomes.items():
        print(f"smoke test on Python {version}: {outcome}")
    return int(failed)


def smoke(python: str) -> subprocess.CompletedProcess[str]:
    """Run the smoke test on one Python, in a new environment."""
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        uv = [sys.executable, "-m", "uv", "--quiet", "--system-certs"]
        for command in (
            [*uv, "venv", "--python", python, "--clear", folder],
            [*uv, "pip", "install", "--python", str(inside), "--requirement", str(ROOT / "requirements.txt")],
            [str(inside), str(ROOT / "scripts" / "smoke.py")],
        ):
            ran = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False
            )
            if ran.returncode:
                break
    return ran


def pythons() -> dict[int, str]:
    """Return the other Pythons by their minor version."""
    folders = [Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    folders += (Path.home() / ".pyenv" / "versions").glob("3.*/bin")
    folders += (Path.home() / ".local" / "share" / "uv" / "python").glob("cpython-3.*/bin")
    found: dict[int, str] = {}
    for folder in folders:
        for name in ("python3", *(f"python3.{minor}" for minor in MINORS)):
            minor = minor_version(folder / name)
            if minor in MINORS and minor != sys.version_info.minor:
                found.setdefault(minor, str(folder / name))
    return found


def minor_version(python: Path) -> int:
    """Return the minor version of a Python 3; 0 where there is none that works, as with a shim of pyenv's."""
    if not python.is_file():
        return 0
    question = "import ssl, sqlite3, sys; print(sys.version_info.minor if sys.version_info.major == 3 else 0)"
    ran = subprocess.run([python, "-c", question], capture_output=True, text=True, timeout=60, check=False)
    return int(ran.stdout) if ran.returncode == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
