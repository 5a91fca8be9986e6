"""The page behind a proxy of one's own, which says nothing of TLS or of the path that it takes away."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests import programs
from tests.conftest import free_port

from .test_headers import NOTE_VIOLATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.conftest import App

SILENT = "header_up -X-Forwarded-Proto\n header_up -X-Forwarded-Host\n header_up -X-Forwarded-For"


@contextmanager
def caddy(folder: Path, address: str, directives: str) -> Iterator[None]:
    """Run Caddy at an address, until the end of the context."""
    options = "admin off\n local_certs\n skip_install_trust\n auto_https disable_redirects\n grace_period 1s"
    (folder / "Caddyfile").write_text(f"{{\n {options}\n}}\n{address} {{\n {directives}\n}}\n")
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [programs.caddy(), "run", "--config", str(folder / "Caddyfile")]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(address):
            assert process.poll() is None, (folder / "caddy.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        httpx.get(f"{address}/nowhere", trust_env=False, verify=False, timeout=30)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize(
    ("scheme", "path", "site"),
    [
        ("https", "/", "reverse_proxy {app} {{\n {silent}\n}}"),
        ("http", "/wan/", "handle_path /wan/* {{\n reverse_proxy {app} {{\n {silent}\n}}\n}}"),
        ("https", "/wan", "handle_path /wan* {{\n reverse_proxy {app} {{\n {silent}\n}}\n}}"),
    ],
    ids=["tls", "sub-path", "tls and sub-path without its slash"],
)
def test_the_page_works_wherever_it_is(  # noqa: PLR0917  # fixtures and cases
    app: App, browser: Browser, photos: Path, tmp_path: Path, scheme: str, path: str, site: str
) -> None:
    address = f"{scheme}://localhost:{free_port()}"
    directives = site.format(app=app.url.removeprefix("http://"), silent=SILENT)
    with caddy(tmp_path, address, directives):
        context = browser.new_context(ignore_https_errors=True, locale="en-US")
        page = context.new_page()
        page.add_init_script(NOTE_VIOLATIONS)
        failed = []
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{address}{path}")
        page.locator(".stage").wait_for()
        page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
        page.locator("#slot-1 img").wait_for()
        page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")
        page.locator("#generate").click()
        page.locator("wan-viewer").wait_for()
        assert page.evaluate("window.violations") == []
        assert failed == []
        context.close()
