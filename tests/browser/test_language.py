"""The whole page in each language, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import pytest
from playwright.sync_api import Page, Route, expect

from studio.i18n.language import tag
from studio.i18n.texts import Texts, translations
from tests.browser.test_access import CLIPPED, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import App

Visit: TypeAlias = "Callable[..., Page]"
OTHERS = sorted(set(translations()) - {"en"})
# All that is read or heard of our page, but for code, and what says that it is in another language.
TOLD = """() => {
  const told = [], skipped = "script, style, pre, code, [lang]:not(html), footer";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (!parentElement.closest(`${skipped}, textarea`)) told.push(textContent.trim());
  }
  for (const name of ["aria-label", "placeholder", "alt", "title"])
    for (const element of document.body.querySelectorAll(`[${name}]`))
      if (!element.closest(skipped)) told.push(element.getAttribute(name).trim());
  return told.filter(Boolean);
}"""


def english_left(page: Page, language: str) -> set[str]:
    """The page's own English texts that it shows although the language has words of its own for them."""
    ours = {
        line.lstrip("# ")
        for key, text in translations()["en"].items()
        if not key.startswith("cli.") and "{" not in text and text != translations()[language][key]
        for line in text.splitlines()
    }
    told = page.evaluate(TOLD)
    assert told
    assert not [text for text in told if "__i18n__" in text or "{" in text]
    return {text for text in ours if text in told or (" " in text and text in "\n".join(told))}


def busy(route: Route) -> None:
    route.fulfill(status=503, json={})


def away(route: Route) -> None:
    route.fulfill(status=502, body="<!doctype html>")


@pytest.mark.parametrize("language", OTHERS)
def test_the_page_speaks_the_language_of_its_address_throughout_and_fits_a_phone(
    app: App, visit: Visit, photos: Path, language: str
) -> None:
    app.play(picture="preview")
    texts = Texts(language)
    page = visit(f"{app.url}/?lang={language}", width=390, height=844)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CLIPPED) == []
    assert not english_left(page, language)
    expect(page).to_have_title(texts("page.title"))
    expect(page.locator("html")).to_have_attribute("lang", tag(language))
    expect(page.locator("meta[property='og:title']")).to_have_attribute("content", texts("page.title"))
    expect(page.locator("#slot-1")).to_contain_text(texts("slot.add"))

    page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#prompt textarea").fill("이미지 1을 연필 스케치로 바꿔줘")  # the history shows it
    page.locator("#generate").click()
    page.locator(".plan").wait_for()
    expect(page.locator(".plan")).to_contain_text(texts("preview.op.pencil_sketch"))
    expect(page.locator("#generate")).to_be_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not english_left(page, language)

    # What Gradio says of a server that is busy, or has a proxy before it that answers in its place.
    for answer, said in ((busy, "toast.busy"), (away, "toast.unread")):
        page.route("**/gradio_api/queue/join*", answer)
        page.locator("#generate").click()
        expect(page.get_by_test_id("toast-text").filter(has_text=texts(said)).first).to_be_visible()
    expect(page.get_by_test_id("toast-body")).to_contain_text(texts("toast.error"))
    assert "Error" not in page.get_by_test_id("toast-body").inner_text()


@pytest.mark.parametrize(("locale", "language"), [("zh-TW", "zh"), ("fr-FR", "en")])
def test_without_a_word_in_the_address_the_browser_decides(app: App, visit: Visit, locale: str, language: str) -> None:
    page = visit(app.url, locale=locale)
    expect(page.locator("html")).to_have_attribute("lang", tag(language))
    expect(page).to_have_title(Texts(language)("page.title"))
    expect(page.locator("#generate")).to_have_text(Texts(language)("button.generate"))
    expect(page.locator(".engine")).to_contain_text(Texts(language)("banner.sandbox.name"))
    gradios = expect(page.get_by_text("Use via API", exact=False))  # a word of Gradio's own
    gradios.to_be_attached(attached=language == "en")


def test_the_switch_works_by_mouse_and_keyboard_and_keeps_the_address(app: App, visit: Visit) -> None:
    page = visit(f"{app.url}/?__theme=dark")
    switch = page.get_by_role("navigation", name="Language")
    expect(switch.locator("[aria-current]")).to_have_text("English")
    switch.get_by_role("link", name="日本語").click()
    expect(page).to_have_url(re.compile(r"\?__theme=dark&lang=ja$"))
    expect(page.locator("#generate")).to_have_text("生成")
    switch = page.get_by_role("navigation", name="言語")
    expect(switch.locator("[aria-current]")).to_have_text("日本語")
    switch.get_by_role("link", name="한국어").press("Enter")
    expect(page).to_have_url(re.compile(r"\?__theme=dark&lang=ko$"))
    expect(page.locator("#generate")).to_have_text("생성하기")
