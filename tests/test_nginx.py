"""The nginx configuration that the README shows, run in front of the page. Collected where there is an nginx."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from gradio_client import Client, handle_file

from tests import programs
from tests.conftest import PHOTOS, ROOT, App, free_port
from tests.test_proxy import answers, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
BLOCK = re.compile(r"nginx, inside a `server`:\n\n```\n(.+?)```", re.DOTALL)
OWN_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx(folder: Path, app: App) -> Iterator[str]:
    """Run nginx with the README's block in front of a page; yield where it shows the page."""
    block = BLOCK.search((ROOT / "README.md").read_text("utf-8"))
    assert block
    location = block[1].replace("http://127.0.0.1:7860", app.url)
    assert app.url in location
    port = free_port()
    folders = "".join(f"{name}_temp_path {folder / name};\n" for name in OWN_FOLDERS)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder / 'pid'};\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}server {{\nlisten 127.0.0.1:{port};\n{location}\n}}\n}}\n"
    )
    program = programs.find_nginx()
    assert program
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen([program, "-e", str(folder / "error.log"), "-c", str(config)], stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/wan/"
        wait_until(lambda: answers(url), lambda: process.poll() is None)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_the_page_and_its_endpoints_work_under_the_path(app: App, tmp_path: Path) -> None:
    with nginx(tmp_path, app) as url:
        assert httpx.get(url.rstrip("/"), trust_env=False).headers["location"] == url
        assert f"This page is {url}" in httpx.get(f"{url}llms.txt", trust_env=False).text
        client = Client(url, verbose=False, download_files=str(tmp_path))
        picture, facts = client.predict("pencil sketch", handle_file(PHOTOS / "cat.jpg"), api_name="/edit")
        assert picture.startswith(str(tmp_path))
        assert facts["state"] == "succeeded"
