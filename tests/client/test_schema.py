from __future__ import annotations

import json
import unicodedata
from importlib import resources
from typing import Any

import pytest

from wan_client import EditRequest, ImageSize, InvalidRequest, schema
from wan_client.schema import count_characters, tidy

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", 0),
        ("cat", 3),
        ("  cat \r\n", 3),
        ("a\r\nb", 3),
        ("고양이", 3),
        (unicodedata.normalize("NFD", "고양이"), 3),
        ("e\u0301", 1),
        ("q\u0323\u0307", 3),
        (FAMILY, 7),
        ("\U0001f44d\U0001f3fd", 2),
        ("\u2764\ufe0f", 2),
        ("\U0001f1f0\U0001f1f7", 2),
        ("नमस्ते", 6),
        ("\ufeffa\x85", 2),
    ],
)
def test_characters_are_counted_as_json_schema_counts_them(text: str, counted: int) -> None:
    assert count_characters(text) == counted


def test_no_prompt_passes_here_that_the_server_would_refuse() -> None:
    prompt = FAMILY[:3] * 899
    assert len(prompt) == 2697
    with pytest.raises(InvalidRequest) as caught:
        EditRequest(prompt, [b"x"])
    assert (caught.value.code, caught.value.values["given"]) == ("prompt_too_long", 2697)


def test_text_is_composed_and_stripped_before_it_is_sent() -> None:
    request = EditRequest(unicodedata.normalize("NFD", " 한글\r\n그림 "), [b"x"])
    assert request.prompt == "한글\n그림"
    assert tidy("a\rb") == "a\nb"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"prompt": "x" * 2000}, "prompt_too_long", "prompt"),
        ({"prompt": ""}, "prompt_missing", "prompt"),
        ({"prompt": " \n\t"}, "prompt_missing", "prompt"),
        ({"prompt": None}, "text_expected", "prompt"),
        ({"prompt": "half a \ud83d pair"}, "text_broken", "prompt"),
        ({"negative_prompt": "x" * 501}, "negative_prompt_too_long", "negative_prompt"),
        ({"negative_prompt": 5}, "text_expected", "negative_prompt"),
        ({"images": []}, "images_missing", "images"),
        ({"images": [b"x"] * 4}, "images_too_many", "images"),
        ({"image_size": "5:4"}, "image_size_unknown", "image_size"),
        ({"image_size": ""}, "image_size_unknown", "image_size"),
        ({"image_size": None}, "image_size_unknown", "image_size"),
        ({"seed": -1}, "seed_out_of_range", "seed"),
        ({"seed": 2147483648}, "seed_out_of_range", "seed"),
        ({"seed": 1.5}, "seed_out_of_range", "seed"),
        ({"seed": True}, "seed_out_of_range", "seed"),
        ({"seed": "7"}, "seed_out_of_range", "seed"),
        ({"seed": float("nan")}, "seed_out_of_range", "seed"),
        ({"seed": float("inf")}, "seed_out_of_range", "seed"),
    ],
)
def test_what_is_outside_the_limits_is_refused_by_name(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        EditRequest(**({"prompt": "x", "images": [b"x"]} | changes))
    assert (caught.value.code, caught.value.values["field"]) == (code, field)
    assert caught.value.hint
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "x" * 1999},
        {"prompt": " " + "x" * 1999 + " "},
        {"prompt": "\N{GRINNING FACE}" * 1999},
        {"negative_prompt": "x" * 500},
        {"negative_prompt": ""},
        {"seed": 0},
        {"seed": 2147483647},
        {"seed": 7.0},
        {"images": [b"x"] * 3},
        {"images": (b"x",)},
        {"images": "cat.jpg"},
    ],
)
def test_what_is_at_the_limits_is_taken(changes: dict[str, Any]) -> None:
    request = EditRequest(**({"prompt": "x", "images": [b"x"]} | changes))
    assert isinstance(request.seed, int)
    assert isinstance(request.images, tuple)


@pytest.mark.parametrize("size", list(ImageSize))
def test_a_size_is_read_from_every_spelling(size: ImageSize) -> None:
    width, height = size.pixels
    for text in (
        size.value, size.value.replace(" ", ""), size.ratio, f"{width}*{height}", f"{width}x{height}",
        f"{width}X{height}", f"{width} × {height}", f" {size.ratio} ",
    ):  # fmt: skip
        assert ImageSize.parse(text) is size
    assert ImageSize.parse(size) is size


def test_the_body_is_what_the_page_documents() -> None:
    body = EditRequest("x", [b"1"], image_size=ImageSize.WIDE_21_9, seed=7).body(["https://a.example/1.png"])
    assert body == {
        "prompt": "x",
        "image_urls": ["https://a.example/1.png"],
        "negative_prompt": "low resolution, error, worst quality, low quality, deformed, extra fingers",
        "image_size": "1344*576 (21:9)",
        "seed": 7,
        "prompt_extend": True,
    }


def test_client_and_sandbox_agree_on_every_limit() -> None:
    """Both hold the numbers for themselves, as the two sides of a wire do; here they are compared."""
    theirs = json.loads((resources.files("wan_sandbox.server") / "input_schema.json").read_text(encoding="utf-8"))
    fields = theirs["properties"]

    def rules(holder: dict[str, Any]) -> set[str]:
        return {rule["rule"] for rule in holder.get("validations", ())}

    assert list(EditRequest("x", [b"1"]).body(["u"])) == theirs["order"]
    assert rules(fields["prompt"]) == {"length> 0", f"length< {schema.PROMPT_MAX + 1}"}
    assert rules(fields["negative_prompt"]) == {f"length<= {schema.NEGATIVE_PROMPT_MAX}"}
    assert rules(fields["image_urls"]) == {f"item_count>= {schema.IMAGES_MIN}", f"item_count<= {schema.IMAGES_MAX}"}
    assert rules(fields["image_urls"]["items"]) == {
        f"file_size_mb< {(schema.IMAGE_BYTES_MAX + 1) // 1_000_000}",
        *(f"{side}_pixels> {schema.SIDE_MIN - 1}" for side in ("width", "height")),
        *(f"{side}_pixels< {schema.SIDE_MAX + 1}" for side in ("width", "height")),
    }
    assert rules(fields["seed"]) == {f"value>= {schema.SEED_MIN}", f"value<= {schema.SEED_MAX}"}
    assert fields["image_size"]["enum"] == [size.value for size in ImageSize]
    assert fields["image_size"]["default"] == schema.DEFAULT_IMAGE_SIZE.value
    assert fields["negative_prompt"]["default"] == schema.DEFAULT_NEGATIVE_PROMPT
    assert fields["seed"]["default"] == schema.DEFAULT_SEED
    assert fields["prompt_extend"]["default"] == schema.DEFAULT_PROMPT_EXTEND
