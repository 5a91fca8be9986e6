"""What a visitor entered becomes a request, or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.prompt.form import Form
from wan_client import ImageError, ImageSize, InvalidRequest
from wan_client.schema import DEFAULT_NEGATIVE_PROMPT


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    file = tmp_path / "abc" / "cat.jpg"
    file.parent.mkdir()
    file.write_bytes(b"any bytes")
    return str(file)


def test_defaults_are_the_models(upload: str) -> None:
    request = Form("sketch", upload).request()
    assert request.negative_prompt == DEFAULT_NEGATIVE_PROMPT
    assert request.image_size is ImageSize.SQUARE
    assert (request.seed, request.prompt_extend) == (0, True)
    assert list(request.images) == [upload]


def test_an_emptied_seed_is_the_default(upload: str) -> None:
    assert Form("sketch", upload, seed=None).request().seed == 0


@pytest.mark.parametrize(
    ("slots", "empty", "filled"), [((0, 1, 0), 1, 2), ((0, 0, 1), 1, 3), ((1, 0, 1), 2, 3), ((0, 1, 1), 1, 2)]
)
def test_an_empty_slot_never_shifts_the_numbers(upload: str, slots: tuple[int, ...], empty: int, filled: int) -> None:
    image_1, image_2, image_3 = (upload if slot else None for slot in slots)
    with pytest.raises(InvalidRequest) as caught:
        Form("sketch", image_1, image_2, image_3).request()
    assert caught.value.code == "images_gap"
    assert caught.value.values == {"field": "images", "empty": empty, "filled": filled}


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../../etc/passwd", "", "/"])
def test_only_uploaded_files_can_be_named(upload: str, path: str) -> None:
    name = path or str(Path(upload).parent)
    with pytest.raises(ImageError) as caught:
        Form("sketch", name).request()
    assert caught.value.code == "image_gone"


def test_a_link_out_of_the_uploads_is_not_followed(upload: str, tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to("/etc/passwd")
    with pytest.raises(ImageError):
        Form("sketch", str(link)).request()
