"""A link brings back the text settings, and nothing that a stranger writes into one does harm."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from studio.prompt.form import Form
from studio.prompt.settings_link import from_query, to_query
from wan_client import ImageSize
from wan_client.schema import DEFAULT_NEGATIVE_PROMPT, SEED_MAX, tidy

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=400).map(tidy)


@given(
    prompt=words,
    negative_prompt=words.filter(lambda text: len(text) <= 500),
    image_size=st.sampled_from(ImageSize).map(lambda size: size.value),
    seed=st.integers(0, SEED_MAX),
    prompt_extend=st.booleans(),
)
def test_a_link_brings_back_what_was_entered(
    prompt: str, negative_prompt: str, image_size: str, seed: int, prompt_extend: bool
) -> None:
    form = Form(prompt, negative_prompt=negative_prompt, image_size=image_size, seed=seed, prompt_extend=prompt_extend)
    assert from_query(QueryParams(to_query(form))) == form


def test_a_link_is_short_and_can_be_read() -> None:
    form = Form("pencil sketch", "/upload/cat.jpg", image_size=ImageSize.LANDSCAPE_16_9.value, seed=7.0)
    assert to_query(form) == "prompt=pencil%20sketch&size=16:9&seed=7"
    assert to_query(Form("", seed=None)) == ""
    assert to_query(Form("", negative_prompt="")) == "negative_prompt="
    assert to_query(Form("", prompt_extend=False)) == "prompt_extend=false"


def test_pictures_and_their_names_stay_at_home() -> None:
    form = Form("sketch", "/tmp/secret-1.jpg", "/tmp/secret-2.jpg", "/tmp/secret-3.jpg")
    assert set(parse_qs(to_query(form))) == {"prompt"}
    assert from_query({"prompt": "a", "image_1": "/etc/passwd"}) == Form("a")


@pytest.mark.parametrize(
    "bad",
    [
        {"prompt": "   "},
        {"prompt": "x" * 2000},
        {"prompt": "a" + "\u0301" * 20_000},
        {"prompt": "\ud800"},
        {"negative_prompt": "x" * 501},
        {"size": "17:9"},
        {"size": ""},
        {"seed": "-1"},
        {"seed": "2147483648"},
        {"seed": "1e3"},
        {"seed": "9" * 10_000},
        {"seed": ""},
        {"prompt_extend": "maybe"},
        {"prompt_extend": ""},
    ],
)
def test_a_value_that_cannot_be_used_leaves_the_others(bad: dict[str, str]) -> None:
    good = {"prompt": "sketch", "negative_prompt": "blur", "size": "4:3", "seed": "3", "prompt_extend": "false"}
    usual = {"prompt": "", "negative_prompt": DEFAULT_NEGATIVE_PROMPT, "size": "1:1", "seed": "0"} | {
        "prompt_extend": "true"
    }
    name = next(iter(bad))
    assert from_query(good | bad) == from_query(good | {name: usual[name]})


@given(st.dictionaries(st.sampled_from(["prompt", "negative_prompt", "size", "seed", "prompt_extend"]), st.text()))
def test_no_link_is_an_error(params: dict[str, str]) -> None:
    to_query(from_query(params))


def test_what_the_model_would_not_take_is_left_out_of_a_link() -> None:
    assert to_query(Form("x" * 2000, image_size="no size", seed=7.5)) == ""
