"""The page as people use it, in a real browser."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image
from playwright.sync_api import Page, expect

from studio.i18n.texts import Texts
from tests.browser.conftest import OWNERS_TOKEN, wait_until
from tests.conftest import PHOTOS, UNTIL_FINISHED
from tests.sandbox.support import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import App

EN = Texts("en")
PROMPT = "turn image 1 into a pencil sketch"
Visit: TypeAlias = "Callable[..., Page]"


def fill(page: Page, picture: Path, prompt: str = PROMPT) -> None:
    page.locator("#slot-1 input[type=file]").set_input_files(picture)
    page.locator("#slot-1 img").wait_for()
    page.locator("#prompt textarea").fill(prompt)


def generate(page: Page) -> None:
    page.locator("#generate").click()


def test_the_whole_path_from_a_picture_to_a_compared_and_downloaded_result(
    app: App, visit: Visit, tmp_path: Path
) -> None:
    app.play(picture="preview", run_time=(1.5, 1.5), warm_up=2)
    page = visit(app.url, moves=True)
    expect(page.locator(".engine")).to_contain_text("Local preview")
    fill(page, PHOTOS / "cat.jpg")
    expect(page.locator("#prompt-count")).to_contain_text(f"{len(PROMPT)} / 1,999")
    generate(page)
    status = page.locator("#status")
    expect(status).to_contain_text("In the queue, position 1")
    expect(page.locator("#cancel")).to_be_enabled()
    expect(status).to_contain_text("Running")
    expect(page.locator(".stages .now")).to_contain_text("Run")
    expect(status).to_contain_text("Finished in")
    expect(page.locator("#generate")).to_be_enabled()
    expect(page.locator("#cancel")).to_be_disabled()

    after = page.locator("[data-shown] .viewer-b img")
    expect(after).to_be_visible()
    wait_until(page, "document.querySelector('[data-shown] .viewer-b img').naturalWidth > 0")
    assert after.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1200, 800]
    wait_until(page, "document.querySelector('[data-shown] .viewer-a img').naturalWidth > 0")
    expect(page.locator(".plan")).to_contain_text("Understood: pencil sketch (image 1)")

    box = page.locator("[data-shown] .viewer-stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40, steps=5)
    page.mouse.up()
    assert abs(cut_of(page) - 20) < 3
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert cut_of(page) > 20.4

    with page.expect_download() as download:
        page.locator(".download").first.click()
    name = download.value.suggested_filename
    assert "local-preview" in name
    assert name.endswith(".png")
    file = tmp_path / name
    download.value.save_as(file)
    with Image.open(file) as image:
        assert image.size == (1200, 800)
        assert any("local preview" in str(value).lower() for value in image.info.values())
    assert app.sandbox
    assert app.sandbox.counters.submits_accepted == 1


def cut_of(page: Page) -> float:
    return float(page.locator("[data-shown] .viewer input").input_value())


def test_cancel_says_what_it_achieved_and_keeps_what_was_entered(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(faults=("never-starts",))
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.locator("#status")).to_contain_text("In the queue")
    page.locator("#cancel").click()
    expect(page.locator("#status")).to_contain_text(EN("error.cancelled"))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#slot-1 img")).to_be_visible()
    expect(page.locator("#generate")).to_be_enabled()
    assert sandbox.counters.jobs_cancelled == 1

    # One that the model has begun with can't be cancelled.
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    generate(page)
    expect(page.locator("#status .said")).to_contain_text("Running")
    page.locator("#cancel").click()
    expect(page.locator("#status")).to_contain_text(EN("cancel.not_cancellable"))
    sandbox.finish_jobs()
    expect(page.locator("#status")).to_contain_text("Finished")
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()


def test_missing_input_and_gaps_between_slots_are_told_beside_the_field(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    generate(page)
    expect(page.locator("#prompt")).to_contain_text(EN("error.prompt_missing"))
    expect(page.locator("#slot-1")).to_contain_text(EN("error.images_missing"))
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#slot-2 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-2 .slot[data-state=ready]").wait_for()
    generate(page)
    expect(page.locator("#slot-1")).to_contain_text("Image 1 is empty, but image 2 is not.")
    expect(page.locator("#prompt")).not_to_contain_text(EN("error.prompt_missing"))
    page.locator("#negative-prompt textarea").fill("x" * 501)
    page.locator("#seed input").fill("-1")
    generate(page)
    expect(page.locator("#negative-prompt")).to_contain_text("at most 500 are allowed")
    expect(page.locator("#seed")).to_contain_text("no whole number from 0 to 2,147,483,647")
    expect(page.locator("#generate")).to_be_enabled()
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_a_refusal_by_moderation_is_told_without_the_vendors_words(app: App, visit: Visit, photos: Path) -> None:
    app.play(faults=("moderation-text",))
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.get_by_role("alert")).to_contain_text(EN("error.moderation"))
    shown = page.locator("body").inner_text()
    for raw in ("DataInspection", "Traceback", "{", "error_code"):
        assert raw not in shown
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)


def test_without_the_api_the_page_says_so_and_recovers(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    assert app.sandbox
    app.sandbox.stop()
    generate(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    app.sandbox = None
    app.play()
    generate(page)
    expect(page.locator("#status")).to_contain_text("Finished")


def test_a_finished_picture_that_cannot_be_fetched_outlives_a_second_run_and_is_fetched_without_paying(
    app: App, visit: Visit, photos: Path
) -> None:
    sandbox = app.play(faults=("output-moved-away*1",))
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.get_by_role("alert")).to_contain_text("The picture is finished, but")
    page.locator("#prompt textarea").fill("another prompt")
    generate(page)
    expect(page.locator("#status")).to_contain_text("Finished")
    second = page.locator("[data-shown] .viewer-b img").get_attribute("src")
    page.locator("#again").click()
    expect(page.locator("[data-shown] .viewer-b img")).not_to_have_attribute("src", second or "")
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    expect(page.locator("#again")).to_be_hidden()
    assert sandbox.counters.submits_accepted == 2


def test_a_browsers_storage_that_makes_no_sense_breaks_nothing(app: App, visit: Visit) -> None:
    page = visit(app.url)
    page.evaluate("localStorage.setItem('wan-studio-pending', 'rubbish')")
    page.reload()
    expect(page.locator(".stage-empty")).to_be_visible()
    expect(page.locator("#generate")).to_be_enabled()


def test_a_reload_in_the_middle_finds_the_run_and_what_was_entered(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.locator("#status .said")).to_contain_text("Running")
    page.reload()
    expect(page.locator("#status .said")).to_contain_text("Running")
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#slot-1 img")).to_be_visible()
    sandbox.finish_jobs()
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    page.reload()
    expect(page.locator(".stage-empty")).to_be_visible()
    assert sandbox.counters.submits_accepted == 1


def test_a_crash_of_the_server_in_the_middle_loses_nothing(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.locator("#status .said")).to_contain_text("Running")
    app.stop(kill=True)
    # Another tab: this one opens itself anew as soon as the server is there.
    tab = page.context.new_page()
    page.close()
    app.start()
    page = tab
    page.goto(app.url)
    sandbox.finish_jobs()
    expect(page.locator("#status")).to_contain_text("Finished")
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    assert sandbox.counters.submits_accepted == 1


def test_two_clicks_are_one_run_and_its_result_is_the_apis_own_bytes(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED)
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    page.locator("#prompt textarea").press("Enter")
    expect(page.locator("#prompt textarea")).to_have_value(f"{PROMPT}\n")
    page.locator("#prompt textarea").press("Control+Enter")
    # Also where the button takes no more clicks by then.
    page.locator("#generate").dblclick(force=True)
    until(lambda: sandbox.counters.submits_accepted == 1)
    sandbox.finish_jobs()
    expect(page.locator("#status")).to_contain_text("Finished")
    assert sandbox.counters.submits_accepted == 1
    address = page.locator("[data-shown] .viewer-b img").get_attribute("src")
    picture = page.request.get(f"{app.url}/{address}")
    assert picture.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(picture.body())) as image:
        assert image.format == "PNG"


def test_korean_by_the_browsers_language(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url, locale="ko-KR")
    expect(page.locator(".engine")).to_contain_text("로컬 미리보기")
    expect(page.locator("#generate")).to_have_text("생성하기")
    expect(page.locator("#slot-2")).to_contain_text("이미지 2")
    page.locator("#image-size input").click()
    expect(page.get_by_role("option").first).to_contain_text("정사각형")
    page.keyboard.press("Escape")
    generate(page)
    expect(page.locator("#prompt")).to_contain_text("프롬프트가 없습니다.")
    fill(page, photos / "cat.jpg", "이미지 1을 연필 스케치로 바꿔줘")
    generate(page)
    expect(page.locator("#status")).to_contain_text("완료했습니다")


def test_a_desktop_gets_two_columns_examples_and_dice(app: App, visit: Visit) -> None:
    page = visit(app.url)
    inputs, outputs = page.locator("#inputs").bounding_box(), page.locator("#outputs").bounding_box()
    assert inputs
    assert outputs
    assert outputs["x"] >= inputs["x"] + inputs["width"]
    generate_box = page.locator("#generate").bounding_box()
    assert generate_box
    assert generate_box["y"] + generate_box["height"] <= 900
    page.locator(".example").nth(4).click()
    expect(page.locator("#slot-2 img")).to_be_visible()
    expect(page.locator("#prompt textarea")).to_have_value("Give image 1 the colours of image 2.")
    page.locator(".example").nth(0).click()
    expect(page.locator("#slot-2 img")).to_have_count(0)
    expect(page.locator("#seed input")).to_have_value("0")
    page.locator("#dice").click()
    expect(page.locator("#seed input")).not_to_have_value("0")


def test_dark_follows_the_system(app: App, visit: Visit) -> None:
    page = visit(app.url, scheme="dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 60


def test_what_a_program_says_is_text_not_markup(app: App, visit: Visit, photos: Path) -> None:
    app.play(picture="preview")
    page = visit(app.url)
    fill(page, photos / "cat.jpg", "<img src=x onerror=\"document.title='owned'\"> pencil sketch")
    generate(page)
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    assert page.title() != "owned"
    assert page.locator(".plan img").count() == 0


def test_the_token_stays_on_the_server(hosted: App, visit: Visit, photos: Path) -> None:
    app, token = hosted, OWNERS_TOKEN
    before = len(app.log)
    sandbox = app.play(token=token, price=0.03, faults=("failed-echo-token*1",))
    seen: list[str] = []
    page = visit(app.url)
    page.on("response", lambda response: seen.append(f"{response.url} {json.dumps(response.headers)}"))
    expect(page.locator(".engine")).to_contain_text("Price by its catalogue: $0.03 a picture.")
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.get_by_role("alert")).to_contain_text(EN("error.model_trouble"))
    generate(page)
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    config = page.request.get(f"{app.url}/config").text()
    for place in (page.content(), stored, config, app.log[before:], *seen):
        assert token not in place
    assert sandbox.counters.tokens_leaked == 0


def test_one_visitors_result_is_not_anothers(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    mine, other = visit(app.url), visit(app.url)
    prompt = "a sepia picture for my eyes only"
    fill(mine, photos / "cat.jpg", prompt)
    generate(mine)
    expect(mine.locator("#status .said")).to_contain_text("Running")
    other.reload()
    expect(other.locator(".stage-empty")).to_be_visible()
    sandbox.finish_jobs()
    expect(mine.locator("[data-shown] .viewer-b img")).to_be_visible()
    expect(other.locator("[data-shown] .viewer")).to_have_count(0)
    assert prompt not in other.content()
