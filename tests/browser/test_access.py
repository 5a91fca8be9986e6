"""The page for those who use it by keyboard, by screen reader, enlarged, or on a phone; checked by axe-core besides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until
from tests.conftest import UNTIL_FINISHED
from tests.sandbox.support import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import App

EN = Texts("en")
Visit: TypeAlias = "Callable[..., Page]"
PROMPT = "make image 1 sepia"
CAT_RATIO = "3:2"
FOLDS = ("starters-box", "more", "request-box", "token-panel")
AXE = Axe().axe_script
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "rules": {"label-content-name-mismatch": {"enabled": True}},
    "resultTypes": ["violations"],
}
# What is Gradio's own and no line of ours can fix: the rule, and what the element is in.
GRADIOS = {
    # The cross that takes an error off a picture's place is a button within a button.
    ("nested-interactive", "#slots div.validation-error"),
}


def violations(page: Page, scene: str, within: str = "html") -> list[str]:
    """What axe-core has against the page, or a part of it, but for what is Gradio's own."""
    # Half faded in, a list has the contrast of neither.
    wait_until(
        page,
        "document.getAnimations().every(({ playState, effect }) =>"
        " playState !== 'running' || effect.getTiming().iterations === Infinity)",
    )
    found = []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    run = "([within, rules]) => axe.run(within, rules).then(({ violations }) => violations)"
    for rule in page.evaluate(run, [within, RULES]):
        for node in rule["nodes"]:
            element = page.locator(node["target"][-1]).first
            if any(rule["id"] == name and _within(element, place) for name, place in GRADIOS):
                continue
            found.append(f"{scene}: {rule['id']}: {node['html'][:160]}: {node['failureSummary']}")
    return found


def _within(element: Locator, place: str) -> bool:
    inside: bool = element.evaluate("(element, place) => !!element.closest(place)", place)
    return inside


def give(page: Page, picture: Path, slot: int = 1) -> None:
    page.locator(f"#slot-{slot} input[type=file]").set_input_files(picture)
    page.locator(f"#slot-{slot} img").wait_for()


def fill(page: Page, photos: Path, prompt: str = PROMPT) -> None:
    give(page, photos / "cat.jpg")
    # The aspect ratio has followed: what comes of that closes a request that was opened.
    expect(page.locator("#frame")).to_contain_text(CAT_RATIO)
    page.locator("#prompt textarea").fill(prompt)


def unfold(page: Page) -> None:
    for fold in FOLDS:
        page.locator(f"#{fold} > button").click()
    page.locator(".request-total").wait_for()
    page.locator(".request-preview summary").click()


def choose_variations(page: Page, number: int) -> None:
    page.locator("#variations label").nth(number - 1).click()
    expect(page.locator("#variations input").nth(number - 1)).to_be_checked()


def finish(page: Page, variations: int = 1) -> None:
    if variations > 1:
        expect(page.locator(".take img")).to_have_count(variations)
    expect(page.locator("#generate")).to_be_enabled()
    wait_until(page, "document.querySelector('[data-shown] .viewer-b img')?.naturalWidth > 0")


def focused(page: Page) -> str:
    """What has the focus: its name, its text, or its id."""
    name: str = page.evaluate(
        "(({ ariaLabel, textContent, id, tagName }) => ariaLabel || textContent.trim().slice(0, 60) || id || tagName)"
        "(document.activeElement)"
    )
    return name


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what matches has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"Tab never reaches {wanted}")


@pytest.mark.parametrize("seen", [(1440, "light", "en"), (390, "dark", "ko")])
def test_axe_has_nothing_against_what_is_ours(app: App, visit: Visit, photos: Path, seen: tuple[int, str, str]) -> None:
    width, scheme, language = seen
    page = visit(f"{app.url}/?lang={language}", width=width, height=844, scheme=scheme)
    found = violations(page, "empty")
    page.locator("#generate").click()
    page.locator("div.validation-error").first.wait_for()
    found += violations(page, "told what is missing")

    fill(page, photos, "make image 1 sepia like image 2")
    page.locator("[data-fix], .ref-check").first.wait_for()
    unfold(page)
    page.locator("#image-size input").click()
    page.get_by_role("option").first.wait_for()
    found += violations(page, "filled")
    page.keyboard.press("Escape")

    app.play(faults=("never-starts",))
    page.locator("#generate").click()
    page.locator(".stages").wait_for()
    found += violations(page, "waiting")
    page.locator("#cancel").click()
    page.locator("#status .run-calm").wait_for()
    found += violations(page, "failed")

    app.play(picture="preview")
    page.locator("#prompt textarea").fill(PROMPT)
    choose_variations(page, 4)
    page.locator("#generate").click()
    finish(page, 4)
    for view in ("side", "flip", "difference", "slider"):
        page.locator(f"[data-do={view}]").click()
        found += violations(page, view, "#result")
    page.locator("#code summary").first.click()
    found += violations(page, "code", "#code")
    assert not found, "\n".join(found)


def test_tab_reaches_everything_in_order_and_is_seen(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos, "make image 1 sepia like image 3")
    give(page, photos / "coffee.jpg", 2)
    page.locator("[data-fix]").wait_for()
    unfold(page)
    choose_variations(page, 2)
    page.locator("#generate").click()
    finish(page, 2)
    page.locator("h1").click()  # from the top
    seen, unseen = [], []
    for _ in range(120):
        page.keyboard.press("Tab")
        name = focused(page)
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.append(name)
        shown = page.evaluate("""() => {
          const focused = document.activeElement, box = focused.getBoundingClientRect();
          const drawn = [focused, focused.closest("label"), focused.closest(".viewer-stage")].filter(Boolean);
          const visible = drawn.some((element) => {
            const { outlineStyle, outlineWidth } = getComputedStyle(element);
            return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
          });
          return visible && box.bottom > 0 && box.top < innerHeight;
        }""")
        if not shown and not page.evaluate("!!document.activeElement.closest('footer')"):
            unseen.append(name)
    assert not unseen
    expected = [
        *("English", "日本語", "Image 1: Choose another picture", "Image 1: Remove", "Image 2: Remove"),
        *("Image 3: Add a picture", "Image 3: Paste", "⇄ Swap 1 and 2", "⇄ Swap 2 and 3"),
        *("Insert “image 1” into the prompt", "Insert “image 2” into the prompt", "Ideas to start from ▼"),
        *("Change the style", "Add text", "Name image 2 instead", "Aspect ratio", "Like image 1", "Seed", "⚄ Random"),
        *("Generate", "What will be sent ▼", "The request as JSON", "Use your own RunComfy token ▼", "Use"),
        *("Sound and keyboard ▼", "Left picture", "Right picture", "Move the cut between the pictures", "Slider"),
        *("Full screen", "Show variation 1", "Show variation 2", "Download", "Use as image 1", "Use these settings"),
        *("Copy link", "Use it from code", "Pencil sketch", "Two pictures in oil", "Forget everything"),
        *("make image 1 sepia like image 3",),
        *("Restore the settings of “make image 1 sepia like image 3”",),
        *("Delete “make image 1 sepia like image 3” and its files",),
    ]
    left = iter(seen)
    missing = [name for name in expected if name not in left]
    assert not missing, f"{missing} are not reached in this order: {seen}"


def test_a_whole_edit_by_keyboard_alone(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    give(page, photos / "cat.jpg")
    tab_to(page, "#prompt textarea")
    page.keyboard.type(PROMPT)
    tab_to(page, "#image-size input")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#image-size input")).not_to_have_value(re.compile("1:1"))
    tab_to(page, "#variations input")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#variations input[value='2']")).to_be_checked()
    tab_to(page, "#generate")
    page.keyboard.press("Enter")
    finish(page, 2)
    tab_to(page, "[data-shown] .viewer-stage input")
    page.keyboard.press("ArrowRight")
    assert float(page.locator("[data-shown] .viewer-stage input").input_value()) > 50
    tab_to(page, "[data-do=full]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-shown] .viewer")).to_have_attribute("data-full", "")
    page.keyboard.press("Enter")
    expect(page.locator("[data-shown] .viewer")).not_to_have_attribute("data-full", "")
    tab_to(page, ".take:nth-child(2) [data-event=click]")
    page.keyboard.press("Enter")
    expect(page.locator(".take:nth-child(2) [data-event=click]")).to_have_attribute("aria-pressed", "true")
    tab_to(page, ".download")
    with page.expect_download():
        page.keyboard.press("Enter")
    tab_to(page, "#use")
    page.keyboard.press("Enter")
    expect(page.locator("#prompt textarea")).to_have_value("")
    expect(page.locator("#status")).to_contain_text("The result is now image 1.")
    assert focused(page) == "Use as image 1"


def test_focus_is_never_lost(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos, "make image 2 sepia")
    page.locator("[data-fix]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#prompt textarea")).to_have_value("make image 1 sepia")
    expect(page.locator("#prompt textarea")).to_be_focused()

    choose_variations(page, 2)
    page.locator("#generate").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_be_focused()
    finish(page, 2)
    expect(page.locator("#status")).to_be_focused()

    for left in (1, 0):
        page.locator("[data-event=delete]").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("[data-event=delete]")).to_have_count(left)
        expect(page.locator("[data-event=delete]" if left else "#history-heading h2")).to_be_focused()

    page.locator("#slot-1").get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#slot-1 img")).to_have_count(0)
    expect(page.locator("#slot-1").get_by_role("button").first).to_be_focused()


def test_what_is_wrong_is_shown_told_and_focused(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url, width=390, height=844)
    page.locator("#generate").click()
    slot = page.get_by_role("group", name="Image 1")
    expect(slot.get_by_role("button", name="Image 1: Add a picture")).to_be_focused()
    expect(page.locator("#slot-1")).to_be_in_viewport()
    expect(page.locator("#prompt textarea")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#voice")).to_contain_text(EN("error.images_missing"))
    expect(page.locator("#voice")).to_contain_text(EN("error.prompt_missing"))

    fill(page, photos)
    page.locator("#negative-prompt textarea").fill("x" * 600)
    page.locator("#generate").click()
    expect(page.locator("#negative-prompt textarea")).to_be_focused()


def test_what_is_wrong_with_a_field_is_said_until_it_changes(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    page.locator("#generate").click()
    wrong = {name: page.locator(f"#{name} div.validation-error") for name in ("slot-1", "prompt", "negative-prompt")}
    expect(wrong["slot-1"]).to_be_visible()
    expect(wrong["prompt"]).to_be_visible()
    # The focus goes to what is wrong; what is typed before that would follow it.
    expect(page.get_by_role("button", name="Image 1: Add a picture")).to_be_focused()
    page.locator("#prompt textarea").fill("like image 1")
    # Gradio takes away its own with the answer to this.
    expect(page.locator("#slot-1 .stays div.validation-error")).to_be_visible()
    expect(wrong["prompt"]).to_have_count(0)
    give(page, photos / "cat.jpg")
    expect(wrong["slot-1"]).to_have_count(0)
    page.locator("#negative-prompt textarea").fill("x" * 600)
    page.locator("#generate").click()
    expect(wrong["negative-prompt"]).to_be_visible()
    expect(page.locator("#negative-prompt textarea")).to_be_focused()
    page.locator("#prompt textarea").fill("like image 1, but red")
    expect(page.locator("#negative-prompt div.validation-error.stays")).to_be_visible()
    page.locator("#negative-prompt textarea").fill("")
    expect(wrong["negative-prompt"]).to_have_count(0)


def test_a_run_is_told_once_a_change_and_not_by_the_second(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    page = visit(app.url)
    page.evaluate("""() => {
      window.told = [];
      new MutationObserver(() => window.told.push(document.querySelector("#voice").textContent))
        .observe(document.querySelector("#voice"), { childList: true });
    }""")
    fill(page, photos)
    page.locator("#generate").click()
    wait_until(page, "told.at(-1)?.startsWith('Running')")
    sandbox.finish_jobs()
    wait_until(page, "told.at(-1)?.startsWith('Finished in')")
    told: list[str] = page.evaluate("told")
    assert len(told) == len(set(told)) <= 7
    assert not any(re.search(r"\d:\d\d", words) for words in told)

    app.play(faults=("moderation-text",))
    page.locator("#prompt textarea").fill("make image 1 blue")
    page.locator("#generate").click()
    expect(page.get_by_role("alert")).to_contain_text(EN("error.moderation"))
    assert not page.evaluate("told.some((words) => words.includes('content check'))")


def test_what_a_screen_reader_is_told_of_the_page(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos)
    page.locator("#generate").click()
    finish(page)
    headings: list[str] = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((e) => `${e.tagName} ${e.textContent.trim()}`)"
    )
    assert headings == ["H1 Wan 2.6 image-to-image", "H2 Result", "H2 Start from an example", "H2 History"]
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("group", name="Variations").get_by_role("radio")).to_have_count(4)
    expect(page.get_by_role("group", name="Image 1").get_by_role("img", name="Image 1")).to_be_visible()
    expect(page.get_by_role("button", name="Pencil sketch", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="What will be sent")).to_have_attribute("aria-expanded", "false")
    viewer = page.get_by_role("group", name="Compare two pictures")
    expect(viewer.get_by_role("img", name="Image 1")).to_be_visible()
    expect(viewer.get_by_role("img", name="Result")).to_be_visible()
    expect(viewer.get_by_role("slider", name="Move the cut between the pictures")).to_be_attached()
    expect(viewer.get_by_role("button", name="Slider", pressed=True)).to_be_visible()
    unnamed = page.locator("body").aria_snapshot()
    assert not re.search(r"- (button|link|img|textbox|combobox|slider|checkbox|radio)(:|$)", unnamed, re.MULTILINE)


OUTSIDE = """() => [...document.querySelectorAll("button, a, input, textarea, label, p, h1, h2, summary, .block")]
  .filter((element) => {
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    const { left, right, width } = element.getBoundingClientRect();
    return width > 1 && (left < -1 || right > document.documentElement.clientWidth + 1);
  }).map((element) => element.outerHTML.slice(0, 120))"""
CLIPPED = """() => [...document.querySelectorAll("button, .block label, a, h1, h2, summary, p, .take-words")]
  .filter((element) => {
    if (!element.checkVisibility() || element.matches(".unseen, .viewer-said")) return false;
    const { overflowX, overflowY } = getComputedStyle(element);
    return (overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1)
      || (overflowY === "hidden" && element.scrollHeight > element.clientHeight + 1);
  }).map((element) => element.outerHTML.slice(0, 160))"""
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""


FIXED = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.checkVisibility() && e.offsetHeight > 8)
  .filter((e) => ["fixed", "sticky"].includes(getComputedStyle(e).position))
  .map((e) => e.outerHTML.slice(0, 100))"""
# Twice and four times as large: what is left of 1280 pixels.
ENLARGED = ((640, 400), (320, 640))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_enlarged_it_never_scrolls_sideways_and_nothing_is_cut_off(
    app: App, visit: Visit, photos: Path, language: str
) -> None:
    width, height = ENLARGED[-1]
    page = visit(f"{app.url}/?lang={language}", width=width, height=height)
    fill(page, photos, "make image 1 sepia like image 2")
    page.locator(".ref-check").wait_for()
    unfold(page)
    choose_variations(page, 2)
    page.locator("#generate").click()
    finish(page, 2)
    page.locator("#code summary").first.click()
    for style in ("", SPACED):
        if style:
            page.add_style_tag(content=style)
        for width, height in ENLARGED:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OUTSIDE) == []
            assert page.evaluate(CLIPPED) == []
            assert page.evaluate(FIXED) == []


def test_nothing_moves_where_motion_is_not_wanted(app: App, visit: Visit, photos: Path) -> None:
    app.play(faults=("never-starts",))
    page = visit(app.url)
    page.emulate_media(reduced_motion="reduce")
    fill(page, photos)
    page.locator("#generate").click()
    page.locator(".stages .now").wait_for()
    moving = page.evaluate("document.getAnimations().filter(({ playState }) => playState === 'running').length")
    assert moving == 0
    page.locator("#cancel").click()


def test_on_a_phone_nothing_is_too_wide_and_what_a_press_leads_to_comes_into_sight(
    app: App, visit: Visit, photos: Path
) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED)
    page = visit(app.url, width=390, height=844)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CLIPPED) == []
    fill(page, photos)
    page.locator("#generate").click()
    expect(page.locator("#status .run")).to_be_in_viewport(ratio=1)
    until(lambda: sandbox.counters.submits_accepted == 1)
    sandbox.finish_jobs()
    finish(page)
    expect(page.locator("[data-shown] .viewer-stage")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tops = [page.locator(part).bounding_box() for part in ("#sending", "#outputs", "#more", "#below")]
    assert [box["y"] for box in tops if box] == sorted(box["y"] for box in tops if box)
    assert all(tops)
    page.locator(".history-show").scroll_into_view_if_needed()
    page.locator(".history-show").click()
    expect(page.locator("#result")).to_be_in_viewport()
    page.locator("#use").click()
    expect(page.locator("#status")).to_contain_text(EN("result.used"))
    expect(page.locator("#status .run")).to_be_in_viewport(ratio=1)


def test_on_a_phone_a_failure_comes_into_sight(app: App, visit: Visit, photos: Path) -> None:
    app.play(faults=("moderation-text",))
    page = visit(app.url, width=390, height=844, moves=True)
    fill(page, photos)
    page.locator("#generate").click()
    expect(page.get_by_role("alert")).to_contain_text(EN("error.moderation"))
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=0.9)


def test_a_slots_controls_do_not_lie_under_one_another_on_a_phone(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url, width=390, height=844)
    for slot, name in enumerate(("cat", "coffee", "rocket"), 1):
        give(page, photos / f"{name}.jpg", slot)
    covered = """() => [...document.querySelectorAll("#pictures button")].filter((button) => button.checkVisibility())
      .filter((button) => {
        const { x, y, width, height } = button.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        return !button.contains(top) || Math.min(width, height) < 24;
      }).map((button) => button.outerHTML.slice(0, 120))"""
    assert page.evaluate(covered) == []
    expect(page.locator("#swaps button").first).to_be_visible()
