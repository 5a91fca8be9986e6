"""The page names what does not agree between a prompt and its pictures, and one click fixes it."""

from __future__ import annotations

import re

import pytest

from studio.i18n.texts import Texts, translations
from studio.prompt.references import Finding, Fix, check, findings_html, mentions
from wan_client.schema import PROMPT_MAX

ENGLISH = Texts("en")
ONE, TWO, THREE = (True, False, False), (True, True, False), (True, True, True)


def codes(prompt: str, filled: tuple[bool, ...]) -> list[tuple[str, int]]:
    return [(finding.code, finding.number) for finding in check(prompt, filled)]


@pytest.mark.parametrize(
    ("prompt", "filled"),
    [
        ("Make it a sketch", ONE),
        ("Turn image 1 into a sketch", ONE),
        ("Put the cat of image 1 on the sofa of image 2", TWO),
        ("Join both pictures", TWO),
        ("두 사진을 합쳐줘", TWO),
        ("Join all the pictures", THREE),
        ("画像1と2を合成して、画像3の画風で", THREE),
        ("Put the cat of image 1 into the other picture", TWO),
        ("", TWO),
        ("  \n", THREE),
        ("Turn image 2 into a sketch", (False, False, False)),
    ],
)
def test_nothing_is_said_where_all_is_clear(prompt: str, filled: tuple[bool, ...]) -> None:
    assert check(prompt, filled) == ()


@pytest.mark.parametrize(
    ("prompt", "filled", "told"),
    [
        ("Turn image 1 into the style of image 2", ONE, [("missing", 2)]),
        ("Turn image 1 into the style of image 4", ONE, [("missing", 4)]),
        ("Join both images", ONE, [("missing", 2)]),
        ("두 번째 사진의 화풍으로 이미지 1을 그려줘", ONE, [("missing", 2)]),
        ("把图1改成图2的风格", ONE, [("missing", 2)]),
        ("Make it a sketch", TWO, [("unnamed", 2)]),
        ("Make it a sketch", THREE, [("unnamed", 2), ("unnamed", 3)]),
        ("Turn image 1 into a sketch", TWO, [("unnamed", 2)]),
        ("in the style of image 2", TWO, [("unnamed", 1)]),
        ("Image 1 like image 4 and image 5", THREE, [("missing", 4), ("missing", 5), ("unnamed", 2), ("unnamed", 3)]),
    ],
)
def test_what_does_not_agree_is_told(prompt: str, filled: tuple[bool, ...], told: list[tuple[str, int]]) -> None:
    assert codes(prompt, filled) == told


@pytest.mark.parametrize(
    ("prompt", "filled", "fixed"),
    [
        ("Turn image 2 into a sketch", ONE, "Turn image 1 into a sketch"),
        ("Image 1 in the style of the third picture", TWO, "Image 1 in the style of the second picture"),
        ("이미지 3을 이미지 1의 화풍으로", TWO, "이미지 2를 이미지 1의 화풍으로"),
        ("图1穿上图3的衣服", TWO, "图1穿上图2的衣服"),
    ],
)
def test_where_only_one_picture_can_be_meant_the_number_is_changed(
    prompt: str, filled: tuple[bool, ...], fixed: str
) -> None:
    (finding,) = check(prompt, filled)
    assert [fix.prompt for fix in finding.fixes] == [fixed]
    assert check(fixed, filled) == ()


@pytest.mark.parametrize(
    ("prompt", "fixed"),
    [
        ("Turn image 1 into a sketch", "Turn image 1 into a sketch. Use image 2 as a reference."),
        ("Turn image 1 into a sketch!\n", "Turn image 1 into a sketch! Use image 2 as a reference."),
        ("Repaint in the style of image 2", "Repaint in the style of image 2. Image 1 is the picture to edit."),
        ("이미지 1을 스케치로 바꿔줘", "이미지 1을 스케치로 바꿔줘. 이미지 2도 참고하세요."),
    ],
)
def test_a_sentence_is_added_in_the_language_of_the_prompt(prompt: str, fixed: str) -> None:
    (finding,) = check(prompt, TWO)
    assert [fix.prompt for fix in finding.fixes] == [fixed]


@pytest.mark.parametrize("prompt", ["Make it a sketch", "스케치로 바꿔줘", "スケッチにして", "改成素描"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_added_names_the_picture(prompt: str, number: int) -> None:
    others = " ".join(f"图{other}" for other in {1, 2, 3} - {number})
    (finding,) = check(f"{prompt}，{others}", THREE)
    (fix,) = finding.fixes
    assert fix.prompt
    assert number in {mention.number for mention in mentions(fix.prompt)}
    assert check(fix.prompt, THREE) == ()


def test_nothing_is_added_past_the_limit() -> None:
    assert check("x" * PROMPT_MAX, TWO) == (Finding("unnamed", 2),)


@pytest.mark.parametrize(
    ("prompt", "filled", "number", "move", "fixed"),
    [
        ("image 1 like image 3", (True, False, True), 2, (1, 3, 2), "image 1 like image 2"),
        ("image 1 like image 2", (True, False, True), 2, (1, 3, 2), None),
        ("image 2 like image 3", (False, True, True), 1, (2, 3, 1), "image 1 like image 2"),
        ("a sketch", (False, True, False), 1, (2, 1, 3), None),
        ("image 3을 이미지 1로", (False, False, True), 1, (3, 1, 2), "image 1을 이미지 2로"),
        ("", (False, False, True), 1, (3, 1, 2), None),
    ],
)
def test_over_a_gap_the_pictures_move_and_their_numbers_follow(
    prompt: str, filled: tuple[bool, ...], number: int, move: tuple[int, ...], fixed: str | None
) -> None:
    (finding,) = check(prompt, filled)
    assert finding == Finding("gap", number, (Fix("close_gap", number, fixed, move),))
    after = tuple(filled[slot - 1] for slot in move)
    assert all(item.code != "gap" for item in check(fixed or prompt, after))


def test_each_mend_has_a_button_that_names_its_place() -> None:
    findings = check("Image 1 like image 4 and image 5", THREE)
    shown = findings_html(ENGLISH, findings)
    assert re.findall(r'<button type="button" data-event="click" data-fix="(\d+)">', shown) == ["0", "1"]
    assert 'class="ref-check said"' in shown
    assert "The prompt names image 4. There can be at most 3 pictures." in shown
    assert findings_html(ENGLISH, ()) == ""


@pytest.mark.parametrize("language", sorted(translations()))
def test_every_finding_has_words(language: str) -> None:
    texts = Texts(language)
    for prompt, filled in (("image 2", ONE), ("image 1 like image 2", ONE), ("a", TWO), ("a", (False, True, False))):
        assert findings_html(texts, check(prompt, filled)).count("<li>") == 1
