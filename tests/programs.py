"""Find the programs that the tests run: a browser, a Redis server, Caddy, nginx.

``scripts/test`` installs what is missing and hands the paths over in the environment. Without it, what is installed is
found here as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER, REDIS = "WAN_TEST_BROWSER", "WAN_TEST_REDIS"
# The shell draws no window of its own, which saves processor time.
HEADLESS_SHELL = "chromium-headless-shell"
BROWSERS = (
    HEADLESS_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge",
)  # fmt: skip
WEBKIT_BROWSERS = ("lib/*/webkit2gtk-4.*/MiniBrowser", "libexec/webkit2gtk-4.*/MiniBrowser")
MAC_BROWSERS = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS_BROWSERS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")


def find_browser() -> str | None:
    """Return the path of a Chromium, Chrome or Edge, or None."""
    return _named(BROWSER) or next((path for path in _installed_browsers() if starts(path)), None)


def find_redis() -> str | None:
    """Return the path of a Redis server, or None."""
    return _named(REDIS) or next(_on_path("redis-server", "valkey-server"), None)


def find_nginx() -> str | None:
    """Return the path of nginx, or None."""
    return next(_on_path("nginx"), None)


def find_firefox() -> str | None:
    """Return the path of a Firefox, or None."""
    return next(_on_path("firefox-esr", "firefox"), None)


def find_webkit() -> tuple[str, str] | None:
    """Return the paths of WebKit's driver and of its small browser, or None where they or a screen are missing."""
    driver, screen = next(_on_path("WebKitWebDriver"), None), next(_on_path("Xvfb"), None)
    browsers = [str(file) for place in WEBKIT_BROWSERS for file in sorted(Path("/usr").glob(place))]
    return (driver, browsers[-1]) if driver and screen and browsers else None


def starts(path: str) -> bool:
    """Return whether a browser starts: Ubuntu's command may only name a package, and libraries may be missing."""
    if sys.platform == "win32":
        return True  # there, asking for the version opens a window
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=180, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@cache
def browser() -> str:
    """Return the path of the browser; fail where there is none, as a skipped test tests nothing."""
    path = find_browser()
    assert path, "The browser tests need Chromium, Chrome or Edge: run scripts/test, which finds or installs one."
    return path


def others() -> tuple[str, ...]:
    """Return the names of the other browsers that are here."""
    found = {"Firefox": find_firefox(), "WebKit": find_webkit()}
    return tuple(name for name, path in found.items() if path)


def redis_server() -> str:
    """Return the path of the Redis server; fail where there is none."""
    path = find_redis()
    assert path, "The tests of shared limits need a Redis server: run scripts/test, which finds or installs one."
    return path


def caddy() -> str:
    """Return the path of Caddy, which a wheel of the test requirements carries."""
    return script("caddy")


def script(name: str) -> str:
    """Return the path of a program that a wheel has put beside the Python that runs."""
    return str(Path(sysconfig.get_path("scripts")) / f"{name}{sysconfig.get_config_var('EXE') or ''}")


def _named(variable: str) -> str | None:
    given = os.environ.get(variable)
    assert not given or Path(given).is_file(), f"{variable} names no file: {given}"
    return given or None


def _on_path(*names: str) -> Iterator[str]:
    # Some distributions keep servers out of an ordinary user's path.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            yield found


def _installed_browsers() -> Iterator[str]:
    yield from _on_path(*BROWSERS)
    if sys.platform == "darwin":
        folders = [Path("/Applications"), Path.home() / "Applications"]
        files = [folder / f"{name}.app/Contents/MacOS/{name}" for folder in folders for name in MAC_BROWSERS]
    else:
        roots = [
            os.environ[name] for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if name in os.environ
        ]
        files = [Path(root) / name for root in roots for name in WINDOWS_BROWSERS]
    yield from (str(file) for file in files if file.is_file())
