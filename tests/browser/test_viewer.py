"""Comparing pictures by mouse, touch and keyboard, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import gradio as gr
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from studio.i18n.texts import Texts
from studio.views.viewer import Picture, viewer
from tests.browser.conftest import wait_until
from tests.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATIC = Path(__file__).parent.parent.parent / "studio" / "browser" / "static"
STYLE, SCRIPT = ((STATIC / f"viewer.{kind}").read_text("utf-8") for kind in ("css", "js"))
PAGE_STYLE = ":root { --border-color-primary: #ddd; --color-accent: #00f } body { min-height: 3000px }"
COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (30, 160, 30), "grey": (90, 90, 90)}
BEFORE = Picture("image-1", "Image 1", "red-1500x1000", 1500, 1000, "reference", {"run-1": "grey-1024x1024"})
RESULT = Picture("run-1", "Result", "blue-1024x1024", 1024, 1024, "result")
TALL = Picture("run-0", "Earlier", "green-720x1280", 720, 1280, "history")
Show: TypeAlias = "Callable[..., Page]"


def picture(name: str) -> bytes:
    """The picture of a name such as ``red-1500x1000``."""
    colour, size = name.split("-")
    width, height = map(int, size.split("x"))
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), COLOURS[colour]).save(buffer, "PNG")
    return buffer.getvalue()


def answer(route: Route, html: str) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name.startswith(tuple(COLOURS)):
        route.fulfill(body=picture(name), content_type="image/png")
    else:
        route.fulfill(body=html, content_type="text/html")


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Opens a page with a viewer and nothing else on it."""
    contexts = []
    thrown: list[str] = []

    def show(
        *pictures: Picture, a: str = "image-1", b: str = "run-1", before: str = "", width: int = 900, **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, reduced_motion="reduce", locale="en-US", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        html = (
            f"<!doctype html><meta name=viewport content='width=device-width'><style>{STYLE} {PAGE_STYLE}</style>"
            f"{viewer(Texts('en'), pictures, a, b)}<script>{before};{SCRIPT}</script>"
        )
        page.route("**/*", lambda route: answer(route, html))
        page.goto("http://viewer.test/")
        wait_until(page, "[...document.images].every(image => image.naturalWidth)")
        page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
        return page

    yield show
    for context in contexts:
        context.close()
    assert not thrown, f"the page threw: {thrown}"


def box(page: Page, selector: str) -> dict[str, float]:
    return page.locator(selector).evaluate("e => e.getBoundingClientRect().toJSON()")  # type: ignore[no-any-return]


def boxes_of_images(page: Page) -> tuple[dict[str, float], dict[str, float]]:
    return box(page, ".viewer-a img"), box(page, ".viewer-b img")


def cut(page: Page) -> float:
    return float(page.locator("wan-viewer input").input_value())


def do(page: Page, what: str) -> None:
    page.locator(f"[data-do={what}]").click()


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def colour_at(page: Page, across: float, down: float = 0.75) -> tuple[int, ...]:
    """What is seen at a share of the stage's width and height."""
    # A picture that has arrived is painted once it is decoded.
    page.evaluate("Promise.allSettled([...document.images].map((image) => image.decode()))")
    stage = box(page, ".viewer-stage")
    x, y = stage["x"] + stage["width"] * across, stage["y"] + stage["height"] * down
    shot = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    with Image.open(io.BytesIO(shot)) as image:
        return image.convert("RGB").getpixel((0, 0))  # type: ignore[return-value]


def test_both_pictures_lie_over_each_other_and_the_cut_divides_them(show: Show) -> None:
    page = show(BEFORE, RESULT)
    left, right = boxes_of_images(page)
    assert left == right
    assert left["width"] == pytest.approx(left["height"])
    assert colour_at(page, 0.4) == COLOURS["grey"]
    assert colour_at(page, 0.6) == COLOURS["blue"]
    stage = box(page, ".viewer-stage")
    middle = stage["y"] + 50
    drag(page, (stage["x"] + 100, middle), (stage["x"] + stage["width"] * 0.8, middle))
    assert cut(page) == pytest.approx(80, abs=1)
    assert colour_at(page, 0.7) == COLOURS["grey"]
    assert colour_at(page, 0.9) == COLOURS["blue"]


def test_the_cut_by_keyboard(show: Show) -> None:
    page = show(BEFORE, RESULT)
    page.keyboard.press("Tab")
    expect(page.get_by_role("slider")).to_be_focused()
    for key, place in (("ArrowRight", 50.5), ("Home", 0), ("End", 100), ("PageDown", 90)):
        page.keyboard.press(key)
        assert cut(page) == pytest.approx(place)
    assert colour_at(page, 0.85) == COLOURS["grey"]
    assert page.locator(".viewer-stage").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_who_is_quicker_than_the_first_layout_breaks_nothing(show: Show) -> None:
    page = show(BEFORE, RESULT, before="window.ResizeObserver = class { observe() {} disconnect() {} }")
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert cut(page) == 50.5
    assert (
        page.locator("wan-viewer").evaluate(
            "e => getComputedStyle(e.querySelector('.viewer-stage')).getPropertyValue('--cut')"
        )
        == "50.5%"
    )


def test_pictures_of_unlike_ratios_are_shown_whole_and_centred_in_the_results_frame(show: Show) -> None:
    wide = Picture("image-1", "Image 1", "red-1500x1000", 1500, 1000, "reference")
    page = show(wide, TALL, b="run-0")
    left, right = boxes_of_images(page)
    assert left == right
    assert right["width"] / right["height"] == pytest.approx(720 / 1280, rel=0.01)
    share = (720 / 1280) / (1500 / 1000)
    assert colour_at(page, 0.2, 0.5) == COLOURS["red"]
    assert colour_at(page, 0.2, 0.5 + share / 2 - 0.02) == COLOURS["red"]
    assert colour_at(page, 0.2, 0.5 + share / 2 + 0.02) != COLOURS["red"]
    assert colour_at(page, 0.2, 0.5 - share / 2 - 0.02) != COLOURS["green"]
    do(page, "swap")
    assert box(page, ".viewer-stage")["height"] == pytest.approx(right["height"])


def test_zoom_and_pan_move_both_pictures_alike(show: Show) -> None:
    page = show(BEFORE, RESULT)
    at_fit = box(page, ".viewer-b img")
    do(page, "in")
    left, right = boxes_of_images(page)
    assert left == right
    assert left["width"] == pytest.approx(at_fit["width"] * 1.5)
    stage = box(page, ".viewer-stage")
    drag(page, (stage["x"] + 100, stage["y"] + 100), (stage["x"] + 160, stage["y"] + 70))
    moved, other = boxes_of_images(page)
    assert moved == other
    assert moved["x"] - left["x"] == pytest.approx(60, abs=1)
    assert moved["y"] - left["y"] == pytest.approx(-30, abs=1)
    assert cut(page) == 50
    drag(page, (stage["x"] + 100, stage["y"] + 100), (stage["x"] + 900, stage["y"] + 100))
    assert box(page, ".viewer-a img")["x"] == pytest.approx(stage["x"], abs=1), "no gap opens at the edge"
    handle = stage["x"] + stage["width"] / 2
    drag(page, (handle, stage["y"] + 60), (handle - 100, stage["y"] + 60))
    assert cut(page) < 40
    assert box(page, ".viewer-a img")["x"] == pytest.approx(stage["x"], abs=1)


def test_zoom_by_keyboard(show: Show) -> None:
    page = show(BEFORE, RESULT)
    fit = page.locator("[data-do=fit]")
    at_fit = box(page, ".viewer-b img")
    page.get_by_role("slider").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    zoomed = box(page, ".viewer-b img")
    assert zoomed["width"] == pytest.approx(at_fit["width"] * 2.25)
    page.keyboard.press("ArrowRight")
    assert cut(page) == 50.5
    page.locator(".viewer-stage").focus()
    page.keyboard.press("ArrowRight")
    assert box(page, ".viewer-b img")["x"] == pytest.approx(zoomed["x"] - 60, abs=1)
    expect(fit).to_have_text(f"{zoomed['width'] / 1024:.0%}")
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert box(page, ".viewer-b img") == at_fit
    expect(page.locator("[data-do=out]")).to_have_attribute("aria-disabled", "true")
    for _ in range(9):
        page.keyboard.press("+")
    expect(fit).to_have_text("800%")


def test_the_wheel_zooms_under_the_pointer_with_control_and_scrolls_without(show: Show) -> None:
    page = show(BEFORE, RESULT)
    stage, at_fit = box(page, ".viewer-stage"), box(page, ".viewer-b img")
    page.mouse.move(stage["x"] + 50, stage["y"] + 80)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    wait_until(page, "document.querySelector('wan-viewer').hasAttribute('data-zoomed')")
    zoomed = box(page, ".viewer-b img")
    factor = zoomed["width"] / at_fit["width"]
    assert factor > 1.2
    assert zoomed["x"] == pytest.approx(stage["x"] + 50 - 50 * factor, abs=1)
    assert zoomed["y"] == pytest.approx(stage["y"] + 80 - 80 * factor, abs=1)
    page.mouse.wheel(0, 200)
    wait_until(page, "scrollY > 0")
    assert box(page, ".viewer-b img")["width"] == zoomed["width"]


def test_a_double_click_shows_actual_size_and_back(show: Show) -> None:
    page = show(BEFORE, RESULT)
    at_fit = box(page, ".viewer-b img")
    page.locator(".viewer-stage").dblclick(position={"x": 40, "y": 40})
    assert box(page, ".viewer-b img")["width"] == pytest.approx(1024, rel=0.001)
    assert cut(page) == 50
    expect(page.locator("[data-do=fit]")).to_have_text("100%")
    page.locator(".viewer-stage").dblclick(position={"x": 40, "y": 40})
    assert box(page, ".viewer-b img") == at_fit


def test_side_by_side_shows_both_whole_and_zooms_both(show: Show) -> None:
    page = show(BEFORE, RESULT)
    do(page, "side")
    expect(page.get_by_role("button", name="Side by side")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("slider")).to_be_hidden()
    left, right = boxes_of_images(page)
    assert left["right"] < right["left"]
    assert (left["width"], left["y"]) == (right["width"], right["y"])
    page.mouse.move(left["x"] + 30, left["y"] + 30)
    page.mouse.dblclick(left["x"] + 30, left["y"] + 30)
    closer_left, closer_right = boxes_of_images(page)
    assert (closer_left["width"], closer_right["width"]) == pytest.approx((1024, 1024), rel=0.001)
    assert closer_left["x"] - left["x"] == pytest.approx(closer_right["x"] - right["x"], abs=1)


def test_the_next_viewer_begins_with_the_view_chosen_last(show: Show) -> None:
    page = show(BEFORE, RESULT)
    do(page, "side")
    page.locator("wan-viewer").evaluate("viewer => viewer.replaceWith(viewer.cloneNode(true))")
    expect(page.locator("wan-viewer")).to_have_attribute("data-view", "side")
    do(page, "slider")
    expect(page.get_by_role("slider")).to_be_visible()


def test_a_phone_stacks_wide_pictures(show: Show) -> None:
    wide = Picture("run-1", "Result", "blue-1344x576", 1344, 576, "result")
    page = show(BEFORE, wide, width=390)
    do(page, "side")
    left, right = boxes_of_images(page)
    assert left["bottom"] < right["top"]
    assert right["width"] > 350
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_flip_shows_the_other_picture_while_pressed_or_until_pressed_again(show: Show) -> None:
    page = show(BEFORE, RESULT)
    do(page, "flip")
    assert colour_at(page, 0.4) == COLOURS["blue"]
    stage = page.get_by_role("button", name="Flip: press").first
    stage.focus()
    page.keyboard.press("Space")
    assert colour_at(page, 0.6) == COLOURS["grey"]
    expect(stage).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_have_text("Showing: Image 1")
    page.keyboard.press("Enter")
    assert colour_at(page, 0.6) == COLOURS["blue"]
    stage.click(delay=400)
    assert colour_at(page, 0.6) == COLOURS["blue"]
    stage.click()
    assert colour_at(page, 0.6) == COLOURS["grey"]


def test_the_difference_of_two_pictures(show: Show) -> None:
    page = show(BEFORE, RESULT)
    do(page, "difference")
    brightened = tuple(min(255, 3 * abs(x - y)) for x, y in zip(COLOURS["grey"], COLOURS["blue"], strict=True))
    assert colour_at(page, 0.5) == pytest.approx(brightened, abs=2)


def test_any_two_pictures_can_be_chosen_and_swapped(show: Show) -> None:
    page = show(BEFORE, RESULT, TALL)
    left, right = page.get_by_label("Left picture"), page.get_by_label("Right picture")
    expect(left).to_have_value("image-1")
    right.select_option("run-0")
    expect(page.get_by_role("status")).to_have_text("On the left: Image 1. On the right: Earlier.")
    wait_until(page, "[...document.images].every(image => image.complete)")
    assert colour_at(page, 0.25, 0.5) == COLOURS["red"]
    assert colour_at(page, 0.75) == COLOURS["green"]
    left.select_option("run-0")
    expect(right).to_have_value("image-1")
    do(page, "swap")
    expect(left).to_have_value("image-1")
    expect(right).to_have_value("run-0")
    expect(page.locator(".viewer-b")).to_have_attribute("data-label", "Earlier")


def test_two_pictures_have_no_pickers_and_one_has_nothing_to_compare(show: Show) -> None:
    expect(show(BEFORE, RESULT).get_by_label("Left picture")).to_be_hidden()
    page = show(RESULT, a="run-1")
    expect(page.get_by_role("slider")).to_be_hidden()
    expect(page.get_by_role("button", name="Side by side")).to_be_hidden()
    do(page, "in")
    assert box(page, ".viewer-b img")["width"] > box(page, ".viewer-stage")["width"]


def test_full_screen_fills_the_screen_and_ends_with_escape(show: Show) -> None:
    page = show(BEFORE, RESULT)
    do(page, "full")
    wait_until(page, "document.fullscreenElement?.matches('wan-viewer[data-full]')")
    assert box(page, ".viewer-stage")["width"] > 850
    left, right = boxes_of_images(page)
    assert left == right
    assert left["width"] == pytest.approx(left["height"])
    do(page, "full")
    wait_until(page, "!document.fullscreenElement")
    expect(page.locator("wan-viewer")).not_to_have_attribute("data-full", "")


def test_where_there_is_no_full_screen_the_viewer_lies_over_the_page(show: Show) -> None:
    page = show(BEFORE, RESULT, before="Element.prototype.requestFullscreen = undefined", width=390)
    do(page, "full")
    expect(page.locator("wan-viewer")).to_have_attribute("data-full", "")
    whole = box(page, "wan-viewer")
    assert (whole["x"], whole["y"], whole["width"], whole["height"]) == (0, 0, 390, 844)
    page.keyboard.press("Escape")
    expect(page.locator("wan-viewer")).not_to_have_attribute("data-full", "")
    assert box(page, "wan-viewer")["height"] < 844


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    session.send(
        "Input.dispatchTouchEvent",
        {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]},
    )


def test_touch_moves_the_cut_sideways_and_leaves_scrolling_to_the_page(show: Show) -> None:
    page = show(BEFORE, RESULT, width=390, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    stage = box(page, ".viewer-stage")
    y = stage["y"] + 200
    touch(session, "Start", (200, y))
    for x in range(190, 90, -10):
        touch(session, "Move", (x, y))
    touch(session, "End")
    assert cut(page) == pytest.approx((100 - stage["x"]) / stage["width"] * 100, abs=2)
    moved = cut(page)
    touch(session, "Start", (200, y))
    for up in range(10, 160, 10):
        touch(session, "Move", (200, y - up))
    touch(session, "End")
    wait_until(page, "scrollY > 50")
    assert cut(page) == moved


def test_two_fingers_zoom_and_one_then_moves_the_pictures(show: Show) -> None:
    page = show(BEFORE, RESULT, width=390, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    stage, at_fit = box(page, ".viewer-stage"), box(page, ".viewer-b img")
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    touch(session, "Start", (x - 40, y))
    touch(session, "Start", (x - 40, y), (x + 40, y))
    for apart in range(50, 110, 10):
        touch(session, "Move", (x - apart, y), (x + apart, y))
    touch(session, "End")
    left, right = boxes_of_images(page)
    assert left == right
    assert left["width"] / at_fit["width"] == pytest.approx(100 / 40, rel=0.15)
    assert cut(page) == 50
    touch(session, "Start", (x - 80, y))
    for down in range(10, 60, 10):
        touch(session, "Move", (x - 80, y + down))
    touch(session, "End")
    assert box(page, ".viewer-a img")["y"] == pytest.approx(left["y"] + 50, abs=2)
    assert page.evaluate("scrollY") == 0


def test_what_can_be_pressed_is_large_enough_and_fits_a_phone(show: Show) -> None:
    page = show(BEFORE, RESULT, TALL, width=390)
    buttons = page.locator("wan-viewer button, wan-viewer select")
    tops = set()
    for button in buttons.all():
        size = button.bounding_box()
        assert size
        assert min(size["width"], size["height"]) >= 24
        tops.add(round(size["y"]))
        expect(button).not_to_have_accessible_name("")
    assert len(tops) <= 3, "the pickers are one row, the views and their names at most one more than the zoom"


@pytest.fixture
def gradio_page() -> Iterator[str]:
    """A page of Gradio with a viewer whose HTML changes by buttons."""

    def html(*pictures: Picture, b: str = "run-1") -> str:
        return f"<div>{viewer(Texts('en'), pictures, 'image-1', b)}</div>"

    def red(key: str, kind: Any, ratio: str = "1/1") -> Picture:
        width, height = map(int, ratio.split("/"))
        return Picture(key, key, f"data:image/svg+xml,<svg xmlns='{key}'/>", width * 100, height * 100, kind)

    first = [red("image-1", "reference"), red("run-1", "result"), red("run-2", "result")]
    with gr.Blocks() as page:
        shown = gr.HTML(html(*first), js_on_load=None)
        more, other, wide = gr.Button("more"), gr.Button("other"), gr.Button("wide")
        more.click(lambda: html(*first, red("run-3", "result")), None, shown)
        other.click(lambda: html(*first, red("run-3", "result"), b="run-3"), None, shown)
        wide.click(lambda: html(*first, red("run-4", "result", "21/9"), b="run-4"), None, shown)
    script = f"<script>{SCRIPT}</script>"
    options: dict[str, Any] = {"prevent_thread_lock": True, "quiet": True, "ssr_mode": False, "run_history": False}
    _, url, _ = page.launch(server_port=free_port(), css=STYLE, head=script, **options)
    yield url
    page.close()


def test_newer_html_from_gradio_keeps_what_the_visitor_chose(browser: Browser, gradio_page: str) -> None:
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(gradio_page)
    zoom = "Number(document.querySelector('.viewer-stage').style.getPropertyValue('--zoom'))"
    left, right = page.get_by_label("Left picture"), page.get_by_label("Right picture")
    left.select_option("run-2")
    page.get_by_role("slider").focus()
    page.keyboard.press("PageUp")
    do(page, "flip")
    do(page, "in")

    page.get_by_role("button", name="more", exact=True).click()
    expect(left.get_by_role("option")).to_have_count(4)
    expect(left).to_have_value("run-2")
    expect(right).to_have_value("run-1")
    expect(page.locator("[data-do=flip]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".viewer-a img")).to_have_attribute("alt", "run-2")
    assert page.evaluate(zoom) == 1.5
    assert cut(page) == 60

    page.get_by_role("button", name="other", exact=True).click()
    expect(right).to_have_value("run-3")
    expect(left).to_have_value("image-1")
    assert page.evaluate(zoom) == 1.5

    page.get_by_role("button", name="wide", exact=True).click()
    expect(right).to_have_value("run-4")
    assert page.evaluate(zoom) == 1
    expect(page.locator("wan-viewer")).to_have_attribute("data-view", "flip")
    page.context.close()
