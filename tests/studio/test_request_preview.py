"""What is shown before sending is what is sent."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from studio.i18n.texts import Texts, translations
from studio.prompt.form import Form
from studio.views.request import PreviewedImage, RequestPreview, preview, request_preview_html
from wan_client import AsyncWanClient, Backend, Change, ImageError, InvalidRequest, Settings, Uploading
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = Texts("en")
HOSTILE = "</pre><script>alert(1)</script>"


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path) -> list[str]:
    """A picture that goes as it is, one that has to be changed, and a file that is none."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    files = [tmp_path / name for name in ("clean.png", "small.png", "broken.png")]
    with Image.open(photos / "cat.jpg") as photo:
        photo.convert("RGB").resize((512, 400)).save(files[0])
    Image.new("RGBA", (200, 300), (255, 0, 0, 128)).save(files[1])
    files[2].write_bytes(b"no picture")
    return [str(file) for file in files]


async def test_the_pictures_are_told_as_they_are_sent(uploads: list[str]) -> None:
    first, second = (await preview(Form("image 1 like image 2", uploads[0], uploads[1]))).images
    assert (first.media_type, first.width, first.height, first.changes) == ("image/png", 512, 400, ())
    assert [change.code for change in second.changes] == ["flattened", "enlarged", "encoded"]
    assert min(second.width, second.height) == 385
    for image in (first, second):
        small = Image.open(io.BytesIO(base64.b64decode(image.thumbnail.partition(",")[2])))
        assert small.format == "JPEG"
        assert max(small.size) <= 160


@pytest.mark.slow
async def test_the_size_told_is_the_size_sent(uploads: list[str], tmp_path: Path) -> None:
    form = Form("이미지 1을 image 2처럼", uploads[0], uploads[1], seed=7)
    told = await preview(form)
    with Sandbox(SandboxSettings(run_time=(0.1, 0.1), picture="blank")) as sandbox:
        async with AsyncWanClient(Settings(Backend.SANDBOX, sandbox.url), folder=tmp_path / "out") as client:
            sizes = {event.total async for event in client.run(form.request()) if isinstance(event, Uploading)}
    assert sizes == {told.size}


async def test_the_body_is_the_request_without_the_pictures(uploads: list[str]) -> None:
    body = json.loads((await preview(Form("sketch", uploads[0], image_size="16:9"))).body)
    assert body["prompt"] == "sketch"
    assert body["image_size"] == "1280*720 (16:9)"
    assert body["image_urls"] == ["data:image/png;base64,…"]


async def test_through_a_bucket_the_pictures_stay_out_of_the_request(uploads: list[str]) -> None:
    told = await preview(Form("sketch", uploads[0]), way="bucket", by_address=True)
    assert json.loads(told.body)["image_urls"] == ["https://…"]
    assert told.size < 1000


@pytest.mark.parametrize("language", sorted(translations()))
async def test_every_change_has_its_words(uploads: list[str], language: str) -> None:
    texts = Texts(language)
    shown = request_preview_html(texts, await preview(Form("sketch", uploads[0], uploads[1])))
    assert texts("request.unchanged") in shown
    assert texts("change.flattened") in shown
    assert '<pre tabindex="0"' in shown


async def test_nothing_that_was_typed_becomes_markup(uploads: list[str]) -> None:
    shown = request_preview_html(ENGLISH, await preview(Form(HOSTILE, uploads[0])))
    assert "<script" not in shown
    image = PreviewedImage("image/png", 1, 1, 1, (Change("mode", {"mode": HOSTILE}),), "data:image/jpeg;base64,")
    assert "<script" not in request_preview_html(ENGLISH, RequestPreview((image,), "{}", 1))


async def test_what_can_not_be_sent_is_a_sentence(uploads: list[str]) -> None:
    with pytest.raises(InvalidRequest) as no_prompt:
        await preview(Form("", uploads[0]))
    with pytest.raises(ImageError) as broken:
        await preview(Form("sketch", uploads[0], uploads[2]))
    shown = request_preview_html(ENGLISH, broken.value)
    assert "Image 2" in shown
    assert ENGLISH("charged.no") in shown
    assert ENGLISH("charged.sandbox") in request_preview_html(ENGLISH, no_prompt.value, sandbox=True)
