"""Slots take whatever is given to them, in whatever way, and say what they can't."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from typing import TYPE_CHECKING

import pillow_heif
from PIL import Image
from playwright.sync_api import Error, expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until
from tests.browser.test_page import fill, generate
from tests.browser.test_runs import add, finish, named, prompt
from tests.browser.test_sending import slot

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FilePayload, JSHandle, Page

    from tests.browser.test_page import Visit
    from tests.conftest import App

EN = Texts("en")


def png(size: tuple[int, int] = (600, 500), colour: tuple[int, ...] = (200, 80, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def transfer(page: Page, files: dict[str, bytes] | None = None, kind: str = "", **data: str) -> JSHandle:
    """What is dragged or pasted: files, by name, and text of other types."""
    given = {name: base64.b64encode(content).decode() for name, content in (files or {}).items()}
    return page.evaluate_handle(
        """([files, kind, data]) => {
          const transfer = new DataTransfer();
          for (const [name, content] of Object.entries(files)) {
            const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt());
            transfer.items.add(new File([bytes], name, { type: kind }));
          }
          const types = { text_uri: "text/uri-list", text_plain: "text/plain" };
          for (const [name, text] of Object.entries(data)) transfer.setData(types[name], text);
          return transfer;
        }""",
        [given, kind, data],
    )


def drop(page: Page, selector: str, what: JSHandle) -> bool:
    """Drop something; return whether the browser was kept from doing with it what it does by itself."""
    kept = True
    for name in ("dragenter", "dragover", "drop"):
        kept = page.evaluate(
            """([selector, name, what]) => !document.querySelector(selector).dispatchEvent(
              new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: what }))""",
            [selector, name, what],
        )
    return bool(kept)


def paste(page: Page, what: JSHandle, selector: str = "body") -> None:
    page.evaluate(
        """([selector, what]) => document.querySelector(selector).dispatchEvent(
          new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: what }))""",
        [selector, what],
    )


def give(page: Page, name: str, value: str) -> None:
    """Let the browser offer something, as its `navigator` names it, that is this in JavaScript."""
    page.evaluate(f"Object.defineProperty(navigator, '{name}', {{ configurable: true, value: {value} }})")


def ready(page: Page, number: int) -> None:
    expect(slot(page, number)).to_have_attribute("data-state", "ready")


def test_words_typed_while_the_server_is_away_are_kept(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos / "cat.jpg", "before")
    ready(page, 1)
    wait_until(page, "JSON.parse(sessionStorage.getItem('wan-draft')).image_1")
    app.stop(kill=True)
    prompt(page).fill("typed while nobody was there")
    wait_until(page, "JSON.parse(sessionStorage.getItem('wan-draft')).prompt.startsWith('typed')")
    app.start()
    # Gradio may be opening it anew already.
    with suppress(Error):
        page.reload()
    expect(prompt(page)).to_have_value("typed while nobody was there")
    ready(page, 1)


def test_paste_fills_the_slot_pointed_at_else_the_first_empty_one(app: App, visit: Visit) -> None:
    page = visit(app.url)
    paste(page, transfer(page, {"image.png": png()}, "image/png"))
    ready(page, 1)
    page.locator("#slot-3").hover()
    paste(page, transfer(page, {"third.png": png()}, "image/png"))
    expect(slot(page, 3).locator("img")).to_have_attribute("src", named("third.png"))
    page.mouse.move(5, 5)
    paste(page, transfer(page, {"second.png": png()}, "image/png"), "#prompt textarea")
    expect(slot(page, 2).locator("img")).to_have_attribute("src", named("second.png"))
    paste(page, transfer(page, {"more.png": png()}, "image/png"))
    expect(slot(page, 1)).to_contain_text(EN("slot.paste.full"))
    slot(page, 2).get_by_role("button", name="Remove").focus()
    paste(page, transfer(page, {"instead.png": png()}, "image/png"), "#slot-2 [data-does=remove]")
    expect(slot(page, 2).locator("img")).to_have_attribute("src", named("instead.png"))


def test_words_are_pasted_as_words_and_a_clipboard_without_a_picture_is_told(app: App, visit: Visit) -> None:
    page = visit(app.url)
    both = transfer(page, {"words.png": png()}, "image/png", text_plain="some words")
    paste(page, both, "#prompt textarea")
    page.locator("#slot-1").hover()
    paste(page, transfer(page, text_plain="some words"))
    expect(slot(page, 1)).to_contain_text(EN("slot.paste.none"))
    expect(slot(page, 1)).to_have_attribute("data-state", "empty")
    refusing = "{ read: () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    for number, clipboard in ((1, "undefined"), (2, refusing)):
        give(page, "clipboard", clipboard)
        slot(page, number).get_by_role("button", name="Paste").click()
        expect(slot(page, number)).to_contain_text(EN("slot.paste.refused"))


def test_several_files_fill_the_following_slots_and_the_rest_is_said(app: App, visit: Visit) -> None:
    page = visit(app.url)
    files = {f"{name}.png": png() for name in ("a", "b", "c")}
    assert drop(page, "#slot-2 .slot", transfer(page, files, "image/png"))
    for number, name in ((2, "a.png"), (3, "b.png")):
        expect(slot(page, number).locator("img")).to_have_attribute("src", named(name))
    expect(slot(page, 2)).to_contain_text(EN("slot.rest", names="c.png"))
    expect(slot(page, 1)).to_have_attribute("data-state", "empty")


def test_pictures_of_this_page_move_between_slots_with_their_numbers(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    add(page, 1, photos / "cat.jpg")
    add(page, 3, photos / "coffee.jpg")
    prompt(page).fill("image 1 beside image 3")
    page.locator("#slot-1 img").drag_to(page.locator("#slot-3 .slot"))
    expect(slot(page, 3).locator("img")).to_have_attribute("src", named("cat.jpg"))
    expect(slot(page, 1).locator("img")).to_have_attribute("src", named("coffee.jpg"))
    expect(prompt(page)).to_have_value("image 3 beside image 1")
    page.locator("#slot-3 img").drag_to(page.locator("#slot-2 .slot"))
    expect(slot(page, 2).locator("img")).to_have_attribute("src", named("cat.jpg"))
    expect(slot(page, 3)).to_have_attribute("data-state", "empty")
    expect(prompt(page)).to_have_value("image 2 beside image 1")


def test_results_the_history_and_examples_are_dragged_into_slots(app: App, visit: Visit, photos: Path) -> None:
    app.play()
    # As high as the whole page: the mouse can't drag and scroll at once here.
    page = visit(app.url, height=1800)
    fill(page, photos / "cat.jpg", "image 1 as a sketch")
    generate(page)
    finish(page)
    page.locator("#history .history-show").drag_to(page.locator("#slot-2 .slot"))
    expect(slot(page, 2).locator("img")).to_have_attribute("src", named("local-preview"))
    ready(page, 2)
    page.locator("#downloads a.download").first.drag_to(page.locator("#slot-1 .slot"))
    expect(slot(page, 1).locator("img")).to_have_attribute("src", named("local-preview"))
    page.locator(".example").nth(1).drag_to(page.locator("#slot-3 .slot"))
    expect(slot(page, 3).locator("img")).to_have_attribute("src", named("coffee.jpg"))
    ready(page, 3)


def test_a_picture_of_another_site_never_leads_away(app: App, visit: Visit) -> None:
    page = visit(app.url)
    address = "https://example.com/cat.jpg"
    assert drop(page, "#slot-1 .slot", transfer(page, text_uri=address))
    expect(slot(page, 1)).to_contain_text(EN("slot.foreign"))
    assert drop(page, "#result", transfer(page, text_uri=address))
    assert drop(page, "#slot-2 .slot", transfer(page, {"cat.jpg": png()}, "image/png", text_uri=address))
    ready(page, 2)


def test_the_content_counts_and_what_a_browser_can_not_show_gets_a_small_copy(app: App, visit: Visit) -> None:
    pillow_heif.register_heif_opener()
    page = visit(app.url)
    expect(page.locator("#slot-1 input[type=file]")).not_to_have_attribute("accept", named(""))
    for name, form in (("scan.tiff", "TIFF"), ("photo.heic", "HEIF"), ("picture", "PNG"), ("a.avif", "AVIF")):
        buffer = io.BytesIO()
        Image.new("RGB", (600, 500), (200, 80, 40)).save(buffer, form)
        page.locator("#slot-1 input[type=file]").set_input_files(
            {"name": name, "mimeType": "", "buffer": buffer.getvalue()}
        )
        ready(page, 1)
        wait_until(page, "document.querySelector('#slot-1 img').naturalWidth > 0")
        expect(slot(page, 1).locator("img")).to_be_visible()
        slot(page, 1).locator("[data-does=remove]").click()
        expect(slot(page, 1)).to_have_attribute("data-state", "empty")


# The slot's buttons that cover a line of what is said there.
LIES_UNDER_A_BUTTON = """(() => {
  const slot = document.querySelector("#slot-2"), said = document.createRange();
  said.selectNodeContents(slot.querySelector(".slot-words"));
  const lines = [...said.getClientRects()];
  const buttons = [...slot.querySelectorAll("button"), ...document.querySelectorAll("#swaps button")];
  return buttons.filter((button) => button.checkVisibility()).filter((button) => {
    const box = button.getBoundingClientRect();
    return lines.some(({ left, right, top, bottom }) =>
      right > box.left && left < box.right && bottom > box.top && top < box.bottom);
  }).map((button) => button.dataset.does ?? button.innerText);
})()"""
IS_READ_WHOLE = """(() => {
  const slot = document.querySelector("#slot-2"), words = slot.querySelector(".slot-words");
  return words.getBoundingClientRect().top + words.scrollHeight <= slot.getBoundingClientRect().bottom + 1;
})()"""


def test_a_file_that_can_not_be_sent_is_refused_as_it_arrives(app: App, visit: Visit) -> None:
    sandbox = app.play()
    page = visit(app.url)
    page.locator("#slot-1 input[type=file]").set_input_files(_file(png()))
    ready(page, 1)
    prompt(page).fill("image 1 as a sketch")
    for name, content, code in (
        ("holiday.jpg", b"this is no picture" * 100, "image_unreadable"),
        ("nothing.png", b"", "image_empty"),
        ("cut.png", png()[:300], "image_truncated"),
    ):
        page.locator("#slot-2 input[type=file]").set_input_files(
            {"name": name, "mimeType": "image/png", "buffer": content}
        )
        expect(slot(page, 2)).to_have_attribute("data-state", "refused")
        expect(slot(page, 2)).to_contain_text(EN(f"error.{code}", number=2))
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            # The whole sentence is to be read, without scrolling within the slot.
            wait_until(page, IS_READ_WHOLE)
            assert page.evaluate(LIES_UNDER_A_BUTTON) == []
        generate(page)
        expect(slot(page, 2).locator("button:focus")).to_have_count(1)
        expect(prompt(page)).to_have_value("image 1 as a sketch")
        slot(page, 2).locator("[data-does=remove]").click()
        expect(slot(page, 2)).to_have_attribute("data-state", "empty")
    assert sandbox.counters.submits_received == 0


def _file(content: bytes) -> FilePayload:
    return {"name": "picture.png", "mimeType": "image/png", "buffer": content}


def test_what_a_picture_will_not_look_like_is_said(app: App, visit: Visit) -> None:
    page = visit(app.url, locale="ko-KR")
    for number, content, change in (
        (1, png((16, 16)), "change.enlarged"),
        (2, png(colour=(0, 0, 0, 0)), "change.flattened"),
    ):
        page.locator(f"#slot-{number} input[type=file]").set_input_files(_file(content))
        ready(page, number)
        expect(slot(page, number)).to_contain_text(Texts("ko")(change, before="16 × 16", after="385 × 385"))


def test_without_a_camera_words_say_why_and_there_is_a_way_back(app: App, visit: Visit) -> None:
    page = visit(app.url)
    refused = "{{ getUserMedia: () => Promise.reject(new DOMException('', '{}')) }}"
    for devices, code in (
        ("undefined", "insecure"),
        (refused.format("NotFoundError"), "none"),
        (refused.format("NotAllowedError"), "refused"),
        (refused.format("NotReadableError"), "busy"),
    ):
        give(page, "mediaDevices", devices)
        slot(page, 1).get_by_role("button", name="Take a photo").click()
        dialog = page.locator("dialog.camera")
        expect(dialog.get_by_role("alert")).to_have_text(EN(f"camera.{code}"))
        expect(dialog.get_by_role("button", name="Take the photo")).to_be_disabled()
        dialog.get_by_role("button", name="Back").click()
        expect(dialog).to_have_count(0)
        expect(slot(page, 1).locator("button:focus")).to_have_count(1)


def test_a_photo_is_stored_as_it_is_and_not_as_in_a_mirror(app: App, visit: Visit) -> None:
    page = visit(app.url)
    page.evaluate(
        """() => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
          const pen = canvas.getContext("2d");
          const draw = () => {
            pen.fillStyle = "red"; pen.fillRect(0, 0, 320, 480);
            pen.fillStyle = "blue"; pen.fillRect(320, 0, 320, 480);
            requestAnimationFrame(draw);
          };
          draw();
          const getUserMedia = async () => canvas.captureStream();
          Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia } });
        }"""
    )
    slot(page, 1).get_by_role("button", name="Take a photo").click()
    page.locator("dialog.camera").get_by_role("button", name="Take the photo").click()
    ready(page, 1)
    wait_until(page, "document.querySelector('#slot-1 img').naturalWidth > 0")
    left = page.locator("#slot-1 img").evaluate(
        """image => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
          const pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0);
          return [...pen.getImageData(100, 200, 1, 1).data];
        }"""
    )
    assert left[0] > 150
    assert left[2] < 100


def test_a_phone_offers_its_own_camera_app(app: App, visit: Visit) -> None:
    page = visit(app.url, width=390, height=844)
    page.evaluate(
        """() => {
          window.matchMedia = (query) => ({ matches: query.includes("coarse") });
          HTMLInputElement.prototype.click = function () {
            window.opened = [this.accept, this.getAttribute("capture")];
          };
        }"""
    )
    slot(page, 1).get_by_role("button", name="Take a photo").click()
    assert page.evaluate("window.opened") == ["image/*", "environment"]
