"""The proof sheet on paper: everything on it, in any script, on as many pages as it takes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from PIL import Image, ImageChops

from wan_client.export import LANGUAGES, ExportError, ExportItem, Paper, sheet
from wan_client.export.texts import Words
from wan_client.export.typeset import POINT, drawable, width_of, wrap

from .support import MODEL, PROMPT, RUN, item, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

POINTS = {"a4": (595, 842), "letter": (612, 792)}
SCRIPTS = {
    "Hangul": "로켓을 연필 스케치로 바꾸고 배경은 그대로 두세요 펲 똠 햏",
    "Kana": "画像1のコーヒーを水彩画にしてください",
    "Hanzi": "把图片1变成铅笔素描，保持人物的姿势不变",
    "Latin": "Ärger, façade, señor, điều ước",
    "Cyrillic": "Сделай карандашный рисунок",
}


def sheet_pdf(items: Sequence[ExportItem], **options: Any) -> bytes:
    [pdf] = sheet(items, "pdf", **options)
    return pdf


def sheet_png(items: Sequence[ExportItem], **options: Any) -> list[bytes]:
    return sheet(items, "png", **options)


def opened(pdf: bytes) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(pdf)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in opened(pdf))


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("paper", list(Paper))
def test_both_papers_have_their_size(paper: Paper) -> None:
    sheet = opened(sheet_pdf([item()], paper=paper))
    assert tuple(map(round, sheet[0].get_size())) == POINTS[paper.value]
    with Image.open(io.BytesIO(sheet_png([item()], paper=paper)[0])) as image:
        assert image.width / image.height == pytest.approx(paper.size[0] / paper.size[1], abs=0.001)


def test_prompt_settings_engine_and_date_stand_on_it() -> None:
    text = text_of(sheet_pdf([item()]))
    for said in (PROMPT, "blurry", "1200 × 800 (3:2)", MODEL, "22 November 2026, 09:30 UTC", "Before", "After"):
        assert said in text


def test_several_results_share_pages() -> None:
    items = [item(f"result of prompt {number}") for number in range(9)]
    sheet = sheet_pdf(items)
    assert len(opened(sheet)) == len(sheet_png(items)) == 5, "two on a page"
    assert all(f"prompt {number}" in text_of(sheet) for number in range(9))


def test_a_portrait_stays_whole_on_its_page() -> None:
    tall = item(after=picture((72, 128)))
    assert len(opened(sheet_pdf([tall]))) == 1
    assert len(opened(sheet_pdf([tall] * 2))) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_script_is_in_the_font(language: str) -> None:
    text = squeezed(text_of(sheet_pdf([item(prompt) for prompt in SCRIPTS.values()], language=language)))
    for prompt in SCRIPTS.values():
        assert drawable(prompt) == prompt
        assert squeezed(prompt) in text


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ("a 🎨 b", "a □ b"),
        ("👨‍👩‍👧!", "□!"),
        ("🇰🇷", "□"),
        ("👍🏽", "□"),
        ("한글", "한글"),
        ("żółć ά", "zó□c α"),
        ("tab\there", "tab here"),
        ("bell\a\u202e\x00", "bell"),
        ("नमस्ते"[:1], "□"),
    ],
)
def test_what_the_font_has_not_is_a_box(given: str, drawn: str) -> None:
    assert drawable(given) == drawn


@pytest.mark.parametrize(
    "text",
    [
        "wordwithoutend" * 40,
        "漢字" * 300,
        "가나다라" * 200,
        "many short words " * 60,
        "가 나 다 " * 100,
        "a" * 3 + "長" * 200,
    ],
)
def test_no_line_is_wider_than_the_paper(text: str) -> None:
    size, width = 11 * POINT, 180.0
    lines = wrap(text, size, width)
    assert len(lines) > 1
    assert all(width_of(line, size) <= width for line in lines)
    assert squeezed("".join(lines)) == squeezed(text)


def test_a_line_does_not_begin_with_a_full_stop() -> None:
    lines = wrap("あ。" * 60, 10.0, 95.0)
    assert not any(line.startswith("。") for line in lines)


def test_line_breaks_of_a_prompt_are_kept() -> None:
    assert wrap("one\n\ntwo", 10.0, 500.0) == ["one", "", "two"]


@pytest.mark.parametrize("prompt", ["漢" * 1999, "q" * 1999, "q\n" * 999 + "q", "🎨" * 1999])
def test_the_longest_prompt_goes_on_overleaf_and_nothing_of_it_is_lost(prompt: str) -> None:
    drawn = squeezed(drawable(prompt))
    sheet = sheet_pdf([item(prompt, after=picture((72, 128)))])
    assert len(opened(sheet)) > 1
    assert text_of(sheet).count(drawn[0]) == len(drawn)


MARKS = ("preview", "prepared", "kept")


@pytest.mark.parametrize(
    ("language", "marks"), [*(("en", (mark,)) for mark in MARKS), *((language, MARKS) for language in LANGUAGES)]
)
def test_what_must_be_said_is_said(language: str, marks: tuple[str, ...]) -> None:
    items = [item(**{mark: True}) for mark in marks]  # type: ignore[arg-type]
    said = squeezed(text_of(sheet_pdf(items, language=language)))
    assert [mark for mark in MARKS if squeezed(Words(language)(f"{mark}.note")) in said] == list(marks)


def test_a_preview_says_so_in_the_files_metadata() -> None:
    assert "Local preview" in opened(sheet_pdf([item(preview=True)], language="ko")).get_metadata_dict()["Subject"]
    with Image.open(io.BytesIO(sheet_png([item(preview=True)], language="ko")[0])) as image:
        assert "Local preview" in image.info["Title"]


def test_the_png_shows_the_warning_that_the_pdf_has() -> None:
    plain, said = (Image.open(io.BytesIO(sheet_png([item(preview=mark)])[0])) for mark in (False, True))
    assert ImageChops.difference(plain, said).getbbox()


def test_the_id_of_the_run_is_there_only_where_it_is_wanted() -> None:
    assert RUN not in text_of(sheet_pdf([item()]))
    assert RUN in text_of(sheet_pdf([item()], with_recipe=True))


def test_chinese_has_its_own_shapes() -> None:
    sheets = [sheet_png([item("直骨角")], language=language, title="x")[0] for language in ("ja", "zh")]
    ink = [Image.open(io.BytesIO(sheet)).convert("L").point(lambda v: 255 * (v < 128)) for sheet in sheets]
    assert ImageChops.difference(*ink).getbbox()


def test_without_a_picture_from_before_only_the_result_is_shown() -> None:
    text = text_of(sheet_pdf([item(before=None)]))
    assert "After" in text
    assert "\nBefore\r" not in text


def test_what_is_not_known_is_left_out() -> None:
    text = text_of(sheet_pdf([ExportItem(picture(), "prompt alone")]))
    assert "prompt alone" in text
    assert not any(Words("en")(name) in text for name in ("seed", "created", "image_size", "prompt_extend"))


def test_a_sheet_of_photographs_stays_small() -> None:
    noise = Image.effect_noise((1024, 1024), 60).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG", compress_level=1)
    assert len(sheet_pdf([item(after=out.getvalue())])) < 2_000_000


def test_nothing_to_show_is_an_error() -> None:
    for make in (sheet_pdf, sheet_png):
        with pytest.raises(ExportError) as problem:
            make([])
        assert problem.value.code == "export_empty"
