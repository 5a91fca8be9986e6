"""Pictures on their way to the API: inside the request, or through a bucket of the user's own.

The bucket is a real S3 server, a process of its own on loopback.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conftest import free_port
from wan_client import RunCancelled, RunFailed, SettingsError, UnknownOutcome
from wan_client.events import Queued
from wan_client.hosting import is_address
from wan_client.images import prepare
from wan_client.settings import BucketSettings, Settings

from .support import an_edit, answer, hurried, noise, picture, scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Serve

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NAME = "pictures"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def s3(store: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-9a1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    client.create_bucket(Bucket=NAME)
    yield client
    for entry in client.list_objects_v2(Bucket=NAME).get("Contents", ()):
        client.delete_object(Bucket=NAME, Key=entry["Key"])
    client.delete_bucket(Bucket=NAME)


def held(s3: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=NAME).get("Contents", ())]


def bucket(store: str, **changes: Any) -> BucketSettings:
    return BucketSettings(**({"name": NAME, "endpoint": store, "region": "us-east-1"} | changes))


@pytest.mark.slow
async def test_pictures_pass_through_the_bucket_and_are_gone_after_the_run(
    serve: Serve, tmp_path: Path, store: str, s3: Any
) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path, bucket=bucket(store)) as client:
        await client.run(an_edit(picture(), noise(500, 500)))
    assert sandbox.counters.inputs_fetched == 2
    assert held(s3) == []


async def test_the_address_is_signed_unguessable_and_opens_the_very_bytes(tmp_path: Path, store: str, s3: Any) -> None:
    data = picture()
    with scripted(submit=[answer({"request_id": "r1"})], status=[answer({"status": "in_queue"})]) as server:
        async with hurried(server.url, tmp_path, bucket=bucket(store, prefix="in/", expiry=120)) as client:
            async for event in client.run(an_edit(data, data)):
                if isinstance(event, Queued):
                    break
        addresses = server.bodies[0]["image_urls"]
    first, second = (urlsplit(address) for address in addresses)
    assert first.path != second.path
    assert first.path.startswith(f"/{NAME}/in/")
    assert len(first.path.rsplit("/", 1)[1]) >= 36
    query = parse_qs(first.query)
    assert query["X-Amz-Expires"] == ["120"]
    assert query["X-Amz-Signature"]
    assert "test-secret-9a1" not in addresses[0]
    async with httpx.AsyncClient(trust_env=False, timeout=60) as plain:
        reply = await plain.get(addresses[0])
    assert (reply.content, reply.headers["Content-Type"]) == (data, "image/png")
    assert len(held(s3)) == 2, "the run goes on: the model may still want them"


@pytest.mark.parametrize(
    ("fault", "kind", "left"),
    [("failed-text", RunFailed, 0), ("canceled", RunCancelled, 0), ("accepted-html-502", UnknownOutcome, 1)],
)
async def test_pictures_stay_only_as_long_as_the_model_may_want_them(  # noqa: PLR0917
    serve: Serve, tmp_path: Path, store: str, s3: Any, fault: str, kind: type[Exception], left: int
) -> None:
    async with hurried(serve(fault).url, tmp_path, bucket=bucket(store)) as client:
        with pytest.raises(kind):
            await client.run(an_edit())
    assert len(held(s3)) == left


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"name": "no-such-bucket"}, "NoSuchBucket"), ({"endpoint": "http://127.0.0.1:9"}, "EndpointConnectionError")],
)
async def test_a_bucket_that_does_not_take_the_picture_costs_nothing(  # noqa: PLR0917
    serve: Serve, tmp_path: Path, store: str, s3: Any, changes: dict[str, str], reason: str
) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path, bucket=bucket(store, **changes)) as client:
        with pytest.raises(SettingsError) as caught:
            await client.run(an_edit())
    assert caught.value.code == "s3_failed"
    assert reason in str(caught.value)
    assert sandbox.counters.submits_received == 0


def test_the_bucket_is_read_from_the_environment() -> None:
    env = {
        "RUNCOMFY_TOKEN": "t",
        "WAN_S3_BUCKET": "b",
        "WAN_S3_ENDPOINT": "https://s3.example.com/",
        "WAN_S3_EXPIRY": "600",
    }
    assert Settings.load(env).bucket == BucketSettings("b", "https://s3.example.com", None, "wan-client/", 600)
    assert Settings.load({"RUNCOMFY_TOKEN": "t"}).bucket is None
    for bad in ({"WAN_S3_ENDPOINT": "http://example.com"}, {"WAN_S3_EXPIRY": "5"}):
        with pytest.raises(SettingsError) as caught:
            Settings.load(env | bad)
        assert caught.value.values["name"] == next(iter(bad))


async def test_when_pictures_inside_a_request_are_refused_the_error_names_the_setting(
    serve: Serve, tmp_path: Path
) -> None:
    async with hurried(serve("data-uri-refused").url, tmp_path) as client:
        with pytest.raises(Exception, match="WAN_S3_BUCKET"):
            await client.run(an_edit())


@pytest.mark.slow
def test_what_travels_inside_a_request_is_lighter() -> None:
    assert len(prepare(noise(1800, 1500), bytes_max=6 * 1024 * 1024).data) <= 6 * 1024 * 1024


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://a/b", True),
        ("HTTPS://a/b", True),
        ("data:image/png;base64,", False),
        ("cat.png", False),
        (b"x", False),
    ],
)
def test_addresses_are_told_from_files(source: object, expected: bool) -> None:
    assert is_address(source) is expected
