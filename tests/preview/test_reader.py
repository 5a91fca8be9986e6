"""What the reader makes of what people write. The prompts and their plans are in `plans/`, one file a language."""

from __future__ import annotations

import json
import math
import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_sandbox.preview import OPERATIONS, Plan, read
from wan_sandbox.preview.plan import LAYOUTS
from wan_sandbox.preview.reader.lexer import sections, tokens

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "ko", "ja", "zh")


def plan(prompt: str, images: int = 2, negative_prompt: str = "") -> Plan:
    return read(prompt, images=images, negative_prompt=negative_prompt, prompt_extend=False)


def said(result: Plan) -> str:
    """Write a plan in short: "watercolour@1 slight, colours_of@1 source=2"."""
    words = []
    for operation in result.operations:
        target = "" if operation.image is None else f"@{operation.image}"
        strength = "" if operation.strength == "normal" else f" {operation.strength}"
        details = "".join(f" {name}={value}" for name, value in operation.parameters.items())
        words.append(f"{operation.op}{target}{strength}{details}")
    return ", ".join(words)


def table(language: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((Path(__file__).parent / "plans" / f"{language}.json").read_text("utf-8"))
    return rows


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row["prompt"]) for language in LANGUAGES for row in table(language)]
)
def test_a_prompt_gives_its_plan(row: dict[str, Any]) -> None:
    result = plan(row["prompt"], row.get("images", 2), row.get("negative_prompt", ""))
    assert said(result) == row["plan"]
    assert list(result.not_understood) == row.get("not_understood", [])


def test_the_pages_examples_are_understood() -> None:
    for example in json.loads((ROOT / "assets" / "examples.json").read_text("utf-8")):
        result = plan(example["prompt"], len(example["images"]))
        assert result.not_understood == ()
        assert "neutral_grade" not in said(result)


def test_a_starter_is_drawn_as_far_as_a_preview_can() -> None:
    starters = json.loads((ROOT / "assets" / "starters.json").read_text("utf-8"))
    plans = {starter["name"]: plan(starter["prompt"], starter["images"]) for starter in starters}
    assert said(plans["restyle"]) == "watercolour@1"
    assert said(plans["background"]) == "golden_hour@1"
    assert all(result.not_understood for result in plans.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_own_words_are_understood(language: str) -> None:
    (file,) = ROOT.glob(f"studio/**/locales/{language}.json")
    texts = json.loads(file.read_text("utf-8"))
    example = re.split("[:：] ?", texts["prompt.placeholder"])[-1]
    assert said(plan(example)) == "pencil_sketch@1"
    assert plan(example).not_understood == ()


def test_magic_prompt_adds_a_polish_and_returns_the_prompt() -> None:
    bare = read("turn it into a pencil sketch.", images=1, prompt_extend=False)
    extended = read("turn it into a pencil sketch.", images=1)
    assert bare.prompt == "turn it into a pencil sketch."
    assert extended.prompt.startswith("turn it into a pencil sketch, ")
    assert [operation.op for operation in extended.operations] == ["pencil_sketch", "polish"]


@pytest.mark.parametrize(
    ("prompt", "word"), [("수채화로", "빛"), ("水彩画にして。", "光、"), ("变成水彩画。", "，光线")]
)
def test_magic_prompt_speaks_the_same_language(prompt: str, word: str) -> None:
    assert word in read(prompt, images=1).prompt


def test_the_plan_is_plain_json() -> None:
    assert plan("a slightly warm watercolour of image 2, make her smile").to_json() == {
        "engine": "local preview",
        "prompt": "a slightly warm watercolour of image 2, make her smile",
        "understood": [
            {"op": "warmer", "image": 2, "strength": "slight", "parameters": {}},
            {"op": "watercolour", "image": 2, "strength": "normal", "parameters": {}},
        ],
        "not_understood": ["make her smile"],
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_can_be_asked_for_in_every_language(language: str) -> None:
    ending = {"ko": "게", "ja": "て"}.get(language, "")
    both = {"en": "image 1 {} image 2", "ko": "이미지 1 {} 이미지 2", "ja": "画像1と画像2を{}", "zh": "把图1和图2{}"}
    taken = {"en": "image 1 {} image 2", "ko": "이미지 1을 이미지 2의 {}", "ja": "画像1を画像2の{}", "zh": "把图1{}图2"}
    found = [(row, phrases[0]) for row, phrases in sections(language) if row.kind in OPERATIONS]
    assert {row.kind for row, _ in found} == set(OPERATIONS)
    last = {row.kind: (row, phrase.replace("~", ending)) for row, phrase in found}
    for op, (row, phrase) in last.items():
        form = both[language] if op in LAYOUTS else taken[language] if row.roles else "{}"
        assert op in [operation.op for operation in plan(form.format(phrase)).operations], phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_well_kept(language: str) -> None:
    """No phrase is empty or stands twice under one heading."""
    for row, phrases in sections(language):
        assert all(phrases), row
        assert len(phrases) == len(set(phrases)), row


PIECES = (
    "image 1;image 2;image 3;and;,;.;with;without;no;keep;the;colours of;hat;as the background;watercolour;very;into;"
    "side by side;slightly;darker;make;left;in the corner;이미지 1;이미지 2의;색감을;말고;유지하고;수채화로;배경;왼쪽"
)
WORDS = st.sampled_from(PIECES.split(";"))
UNSPACED_PIECES = (
    "画像1;2枚目を;画像2の;色で;背景;水彩画に;明るく;して;しないで;そのまま;は;の;を;帽子;はずして;雪;夜;少し;、;"
    "图1;第二张图;把;变成;色调;素描;不要;保持;暗;一点;降低;亮度;的;上;戴;在;，;和;左边;image 2;이미지 1;watercolour"
)
UNSPACED = st.sampled_from(UNSPACED_PIECES.split(";"))
PROMPTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(min_codepoint=0x3040, max_codepoint=0x9FFF), max_size=60),
    st.lists(WORDS, max_size=12).map(" ".join),
    st.lists(UNSPACED, max_size=16).map("".join),
)


@pytest.mark.slow
@given(PROMPTS, st.integers(1, 3))
def test_any_text_gives_a_plan_that_can_be_drawn(prompt: str, images: int) -> None:
    for operation in plan(prompt, images).operations:
        named = [operation.image, operation.parameters.get("source"), *list_of(operation.parameters.get("images"))]
        assert operation.op in OPERATIONS
        assert all(image is None or image in range(1, images + 1) for image in named)
        assert operation.image is None or operation.image != operation.parameters.get("source")


@given(PROMPTS)
def test_the_words_of_a_text_follow_each_other(prompt: str) -> None:
    end = 0
    for token in tokens(prompt):
        assert end <= token.start < token.end <= len(prompt)
        end = token.end


@given(PROMPTS)
def test_what_is_reported_was_written(prompt: str) -> None:
    written = unicodedata.normalize("NFC", prompt)
    assert all(phrase and phrase in written for phrase in plan(prompt).not_understood)


@pytest.mark.parametrize(
    "piece",
    [
        "の", "上", "から", "水", "て", "变成水彩画", "画像1と", "이미지 1과 ", "의", "1,", "1、", "１과",
        "image 1, ", "watercolour ", "with ", "and ", "very ", "red ", "밝고 ", "말고 ", "そのまま", "不要", "hat ",
        "帽", '"', "「", " ", "lower ", "a-", "side by side ", "背景", "keep the ", "ㅋ", "~", "風", "水彩风", "化",
    ],
)  # fmt: skip
def test_reading_time_grows_with_the_length_only(piece: str) -> None:
    """Eight times the text takes about eight times the time; were it quadratic, it would take 64 times."""

    def cost(text: str) -> float:
        start = time.process_time()
        plan(text)
        return time.process_time() - start

    short, long = ((piece * 4000)[:size] for size in (400, 3200))
    least = {short: math.inf, long: math.inf}
    for _ in range(20):
        # Anything else on the machine only adds to a measurement, so the least of several is the truest.
        least = {text: min(known, cost(text)) for text, known in least.items()}
        if least[long] < 24 * least[short]:
            break
    assert least[long] < 24 * least[short]


def list_of(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
