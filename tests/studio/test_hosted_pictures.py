"""Pictures on the page's own address: for the model, while a run needs them, and for nobody else."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from starlette.applications import Starlette

from studio.public.hosted_pictures import route
from studio.runs.jobs import Jobs
from studio.settings import PageSettings
from tests.client.support import TOKEN
from tests.conftest import App
from wan_client import SettingsError
from wan_client.hosting.public_url import ROUTE, PublicHost, PublicUrl
from wan_client.images import prepare

if TYPE_CHECKING:
    from pathlib import Path


def a_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 400), 90).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> PublicUrl:
    store = PublicUrl(tmp_path / "hosted", seconds=60)
    store.base = "https://page.example.com"
    return store


def visitor(store: PublicUrl) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=[route(store)]))
    return httpx.AsyncClient(transport=transport, base_url="https://page.example.com")


async def test_the_route_serves_a_picture_by_its_name_alone(store: PublicUrl, tmp_path: Path) -> None:
    path = store.put(a_picture(), "image/png", "owner").removeprefix("https://page.example.com")
    async with visitor(store) as client:
        for method in ("GET", "HEAD"):
            reply = await client.request(method, path)
            assert reply.status_code == 200
            assert reply.headers["Content-Type"] == "image/png"
            assert reply.headers["Content-Length"] == str(len(a_picture()))
            assert reply.headers["Cache-Control"] == "no-store"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert "noindex" in reply.headers["X-Robots-Tag"]
            assert reply.content == (a_picture() if method == "GET" else b"")
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await client.request(method, path)).status_code == 405
        on_disk = next((tmp_path / "hosted").iterdir()).name
        for name in ("", on_disk, "x", path.removeprefix(f"{ROUTE}/")[:-5] + "X.png", "..%2f" + on_disk):
            assert (await client.get(f"{ROUTE}/{name}")).status_code == 404, name


async def test_forgetting_a_run_ends_what_it_has_there(store: PublicUrl, tmp_path: Path) -> None:
    jobs = Jobs(PageSettings.load({"WAN_BACKEND": "sandbox"}))
    jobs.engines.pictures = store
    address = PublicHost(store, "key").host(prepare(a_picture()))
    other = PublicHost(store, "other").host(prepare(a_picture()))
    await jobs.forget("key")
    assert store.find(address.rsplit("/", 1)[1]) is None
    assert store.find(other.rsplit("/", 1)[1])
    await jobs.close()


def test_another_replica_with_the_same_folder_serves_and_ends_it_too(store: PublicUrl, tmp_path: Path) -> None:
    address = PublicHost(store, "key").host(prepare(a_picture()))
    replica = PublicUrl(tmp_path / "hosted", seconds=60)
    assert replica.find(address.rsplit("/", 1)[1])
    PublicHost(replica, "key").release()
    assert store.find(address.rsplit("/", 1)[1]) is None


def test_the_address_is_read_from_the_environment() -> None:
    assert PageSettings.load({}).public_url is None
    assert PageSettings.load({"SPACE_HOST": "me-demo.hf.space"}).public_url == "https://me-demo.hf.space"
    both = {"SPACE_HOST": "me-demo.hf.space", "WAN_PUBLIC_URL": "https://example.com/wan/"}
    assert PageSettings.load(both).public_url == "https://example.com/wan"
    with pytest.raises(SettingsError) as caught:
        PageSettings.load({"WAN_PUBLIC_URL": "http://example.com"})
    assert caught.value.values["name"] == "WAN_PUBLIC_URL"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_page_whose_pictures_are_refused_inside_the_request_hands_them_over_itself(
    tmp_path: Path, plain_photos: Path
) -> None:
    app = App(tmp_path, RUNCOMFY_API_TOKEN=TOKEN, WAN_LOG="json")
    app._environment["WAN_PUBLIC_URL"] = app.url
    sandbox = app.play(faults=("data-uri-refused",))
    try:
        app.start()
        client = Client(app.url, verbose=False, download_files=str(tmp_path / "had"))
        result, facts = client.predict("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit")
        counters = sandbox.counters
        assert (counters.submits_received, counters.submits_accepted) == (2, 1)
        client.predict("sketch again", handle_file(plain_photos / "cat.jpg"), api_name="/edit")
        assert (counters.submits_received, counters.submits_accepted) == (3, 2)
        assert httpx.get(f"{app.url}{ROUTE}/", trust_env=False).status_code == 404
    finally:
        app.stop()
        sandbox.stop()
    assert not [path for path in files(tmp_path / "files") if "hosted" in path.parts]
    outputs = f"http://127.0.0.1:{app._api_port}/outputs"
    written: dict[str, Any] = {str(path.relative_to(tmp_path)): path.read_bytes() for path in files(tmp_path)}
    written["facts"] = json.dumps(facts).encode() + str(result).encode()
    for name, data in written.items():
        for secret in (TOKEN, outputs, f"{ROUTE}/", "%3D"):
            if secret == "%3D" and not name.endswith((".log", ".json", "facts")):
                continue
            assert secret.encode() not in data, (name, secret)
