"""Runs, history and the form around them, as people use them, in a real browser."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from studio.browser.store import FINISHED_KEPT
from studio.i18n.texts import Texts
from studio.runs.jobs import REQUEST_ID
from studio.uploads import RECORDS
from tests.browser.conftest import OWNERS_TOKEN, PRICE, wait_until
from tests.browser.test_page import PROMPT, fill, generate
from tests.conftest import UNTIL_FINISHED
from tests.sandbox.support import until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.test_page import Visit
    from tests.conftest import App

EN = Texts("en")
OWN_TOKEN = "a-visitors-token-that-nobody-sees"
RUNS = "Object.entries(localStorage).filter(([name]) => name.startsWith('wan-run-'))"


def status(page: Page) -> Locator:
    return page.locator("#status")


def prompt(page: Page) -> Locator:
    return page.locator("#prompt textarea")


def finish(page: Page) -> None:
    """Wait for the end of a run that was just started."""
    expect(status(page)).to_contain_text("Finished")
    expect(page.locator("#generate")).to_be_enabled()


def run(page: Page, picture: Path, words: str = PROMPT) -> None:
    fill(page, picture, words)
    generate(page)
    wait_until(
        page,
        f"words => {RUNS}.map(([, run]) => JSON.parse(run)).some((run) => run.result && run.form.prompt === words)",
        arg=words,
    )
    finish(page)


def add(page: Page, number: int, picture: Path) -> None:
    page.locator(f"#slot-{number} input[type=file]").set_input_files(picture)
    # The picture is seen at once, and is part of the form once it has arrived.
    page.locator(f"#slot-{number} .slot[data-state=ready]").wait_for()


def vary(page: Page, count: int) -> None:
    page.locator("#variations label").nth(count - 1).click()


def kept(page: Page) -> list[dict[str, Any]]:
    """The runs that the browser keeps, newest first."""
    runs: list[dict[str, Any]] = page.evaluate(f"{RUNS}.map(([, run]) => JSON.parse(run))")
    return sorted(runs, key=lambda run: run["at"], reverse=True)


def draft(page: Page) -> dict[str, Any]:
    """The form, as this tab keeps it."""
    form: dict[str, Any] = json.loads(page.evaluate("sessionStorage.getItem('wan-draft')") or "{}")
    return form


def folder_of(app: App, key: str) -> Path:
    """The folder of a run's records."""
    return app.folder / "files" / "wan" / RECORDS / sha256(f"run {key}".encode()).hexdigest()[:32]


def named(text: str) -> re.Pattern[str]:
    """What contains the text."""
    return re.compile(re.escape(text))


def again(page: Page) -> Page:
    """The page in a new tab of the same browser, ready to be used."""
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.locator(".stage").wait_for()
    tab.locator("#draft data").wait_for(state="attached")
    return tab


def reopened(page: Page, app: App) -> Page:
    """The page in a new tab after the app was started again."""
    context = page.context
    page.close()
    app.start()
    tab = context.new_page()
    tab.goto(app.url)
    tab.locator(".stage").wait_for()
    tab.locator("#draft data").wait_for(state="attached")
    return tab


def test_four_variations_land_side_by_side_and_each_can_be_looked_at(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play()
    page = visit(app.url)
    vary(page, 4)
    fill(page, photos / "cat.jpg")
    page.locator("#generate").dblclick()
    finish(page)
    expect(page.locator(".take[data-state=finished] img")).to_have_count(4)
    assert [run["form"]["seed"] for run in reversed(kept(page))] == [0, 1, 2, 3]
    page.locator(".take [data-event=click]").nth(2).click()
    expect(page.locator("#result .stage")).to_have_attribute("data-shown", kept(page)[1]["key"])
    expect(page.locator(".take [data-event=click]").nth(2)).to_have_attribute("aria-pressed", "true")
    assert sandbox.counters.submits_accepted == 4


def test_a_variation_that_failed_is_tried_again_alone_in_its_place(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(faults=("failed-text*1",))
    page = visit(app.url)
    vary(page, 4)
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.locator(".take[data-state=finished]")).to_have_count(3)
    expect(page.locator(".take[data-state=failed]")).to_contain_text(EN("error.model_trouble"))
    states = [take.get_attribute("data-state") for take in page.locator(".take").all()]
    page.locator(".take [data-event=retry]").click()
    expect(page.locator(".take[data-state=finished]")).to_have_count(4)
    place = page.locator(".take").nth(states.index("failed"))
    expect(place).to_contain_text(f"seed {states.index('failed')}")
    assert [run["form"]["seed"] for run in reversed(kept(page))] == [0, 1, 2, 3]
    assert sandbox.counters.submits_accepted == 5
    assert len({run["group"] for run in kept(page)}) == 1


def test_the_cost_of_all_variations_is_told_before(hosted: App, visit: Visit) -> None:
    page = visit(hosted.url)
    expect(page.locator("#cost")).to_contain_text("By the catalogue: $0.03 for 1.")
    vary(page, 3)
    expect(page.locator("#cost")).to_contain_text("By the catalogue: $0.09 for 3.")


def test_the_same_request_again_offers_the_finished_picture_first(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play()
    page = visit(app.url)
    run(page, photos / "cat.jpg")
    generate(page)
    expect(status(page)).to_contain_text(EN("run.made_before"))
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    assert sandbox.counters.submits_accepted == 1
    page.locator("#anyway").dblclick()
    expect(page.locator("#anyway")).to_be_hidden()
    finish(page)
    assert sandbox.counters.submits_accepted == 2
    assert len(kept(page)) == 2
    prompt(page).fill("something else")
    generate(page)
    expect(page.locator("#history li")).to_have_count(3)
    assert sandbox.counters.submits_accepted == 3


def test_two_tabs_closed_in_the_middle_lose_neither_picture(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, workers=2)
    one = visit(app.url)
    two = again(one)
    for tab, words in ((one, "the first"), (two, "the second")):
        fill(tab, photos / "cat.jpg", words)
        generate(tab)
    wait_until(one, f"{RUNS}.filter(([, run]) => JSON.parse(run).request_id).length == 2")
    assert not any(run["result"] for run in kept(one))
    context, url = one.context, one.url
    one.close()
    two.close()
    later = context.new_page()
    later.goto(url)
    sandbox.finish_jobs()
    expect(later.locator("#history li")).to_have_count(2)
    assert all(run["result"] for run in kept(later))
    assert sandbox.counters.submits_accepted == 2


def test_a_crash_before_the_page_heard_of_the_runs_id_loses_nothing(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=(1, 1))
    page = visit(app.url)
    fill(page, photos / "cat.jpg")
    generate(page)
    wait_until(page, f"{RUNS}.some(([, run]) => JSON.parse(run).request_id)")
    app.stop(kill=True)
    (entry,) = kept(page)
    assert (folder_of(app, entry["key"]) / REQUEST_ID).read_text("utf-8") == entry["request_id"]
    unheard = json.dumps({**entry, "request_id": ""})
    page.evaluate("([name, run]) => localStorage.setItem(name, run)", [f"wan-run-{entry['key']}", unheard])
    page = reopened(page, app)
    finish(page)
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    assert sandbox.counters.submits_accepted == 1


def test_history_outlives_reloads_brings_settings_and_pictures_back_and_is_deleted_run_by_run(
    app: App, visit: Visit, photos: Path
) -> None:
    page = visit(app.url)
    run(page, photos / "cat.jpg", "image 1 as a sketch")
    run(page, photos / "coffee.jpg", "image 1 in sepia")
    cards = page.locator("#history li")
    page.reload()
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("sepia")
    expect(cards.last).to_contain_text("sketch")
    wait_until(page, "[...document.querySelectorAll('#history img')].every((image) => image.naturalWidth > 0)")
    cards.last.get_by_role("button", name="Restore").click()
    expect(prompt(page)).to_have_value("image 1 as a sketch")
    expect(page.locator("#slot-1 img")).to_have_attribute("src", named("cat.jpg"))
    expect(page.locator("#result .stage")).to_have_attribute("data-shown", kept(page)[1]["key"])
    cards.first.locator(".history-show").click()
    expect(page.locator("#result .stage")).to_have_attribute("data-shown", kept(page)[0]["key"])
    expect(prompt(page)).to_have_value("image 1 as a sketch")
    newer, older = (folder_of(app, entry["key"]) for entry in kept(page))
    cards.first.locator("[data-event=delete]").click()
    expect(cards).to_have_count(1)
    expect(page.locator(".stage-empty")).to_be_visible()
    assert not newer.exists()
    assert older.is_dir()
    assert len(kept(page)) == 1


def test_forget_everything_forgets_everything(app: App, visit: Visit, photos: Path, tmp_path: Path) -> None:
    picture = tmp_path / "only-for-this-test.jpg"
    picture.write_bytes((photos / "cat.jpg").read_bytes() + b"only for this test")
    replaced = tmp_path / "replaced-in-this-test.jpg"
    replaced.write_bytes((photos / "coffee.jpg").read_bytes() + b"replaced")
    page = visit(app.url)
    add(page, 1, replaced)
    wait_until(page, "(localStorage.getItem('wan-uploads') ?? '').includes('replaced-in-this-test')")
    page.locator("#slot-1").get_by_role("button", name="Remove").click()
    run(page, picture)
    (entry,) = kept(page)
    page.locator("#forget").click()
    expect(status(page)).to_contain_text(EN("history.forgotten"))
    expect(page.locator("#history li")).to_have_count(0)
    expect(page.locator("#slot-1 img")).to_have_count(0)
    expect(prompt(page)).to_have_value("")
    expect(page.locator(".stage-empty")).to_be_visible()
    wait_until(page, f"{RUNS}.length == 0 && sessionStorage.length == 0")
    assert not folder_of(app, entry["key"]).exists()
    assert not [*app.folder.rglob(picture.name), *app.folder.rglob(replaced.name)]
    assert page.evaluate("localStorage.getItem('wan-uploads')") is None
    page.reload()
    expect(page.locator(".stage-empty")).to_be_visible()
    expect(prompt(page)).to_have_value("")


def test_the_oldest_of_too_many_runs_go_with_their_files(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    run(page, photos / "cat.jpg")
    (entry,) = kept(page)
    for number in range(1, FINISHED_KEPT + 1):
        copy = {**entry, "key": f"old-{number}", "group": f"old-{number}", "at": entry["at"] - number}
        page.evaluate("run => localStorage.setItem(`wan-run-${run.key}`, JSON.stringify(run))", copy)
    oldest = folder_of(app, f"old-{FINISHED_KEPT}")
    oldest.mkdir()
    (oldest / "outcome.json").write_text("{}", "utf-8")
    run(page, photos / "cat.jpg", "one more")
    wait_until(page, f"!localStorage.getItem('wan-run-old-{FINISHED_KEPT}')")
    assert len(kept(page)) == FINISHED_KEPT + 1
    assert not oldest.exists()


def test_a_result_is_edited_on_with_a_way_back(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    run(page, photos / "cat.jpg", "image 1 as a sketch")
    (first,) = kept(page)
    expect(page.locator("#back")).to_be_hidden()
    page.locator("#use").click()
    expect(prompt(page)).to_have_value("")
    expect(page.locator("#slot-1 img")).to_have_attribute("src", named("local-preview"))
    prompt(page).fill("image 1 in sepia")
    generate(page)
    expect(page.locator("#history li")).to_have_count(2)
    finish(page)
    page.locator("#use").click()
    expect(prompt(page)).to_have_value("")
    prompt(page).fill("image 1 brighter")
    generate(page)
    expect(page.locator("#history li")).to_have_count(3)
    finish(page)
    page.locator("#back").click()
    expect(prompt(page)).to_have_value("image 1 in sepia")
    expect(page.locator("#code")).to_contain_text("image 1 in sepia")
    page.locator("#back").click()
    expect(prompt(page)).to_have_value("image 1 as a sketch")
    expect(page.locator("#slot-1 img")).to_have_attribute("src", named("cat.jpg"))
    expect(page.locator("#result .stage")).to_have_attribute("data-shown", first["key"])
    expect(page.locator("#code")).to_contain_text("image 1 as a sketch")
    expect(page.locator("#back")).to_be_hidden()


def test_one_press_changes_the_prompt_and_the_pictures_together(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    fill(page, photos / "cat.jpg", "make a sketch")
    prompt(page).evaluate("box => box.setSelectionRange(5, 6)")
    page.locator("#chips [data-insert]").first.click()
    expect(prompt(page)).to_have_value("make image 1 sketch")
    expect(prompt(page)).to_be_focused()
    wait_until(page, "JSON.parse(sessionStorage.getItem('wan-draft')).prompt == 'make image 1 sketch'")

    prompt(page).fill("turn image 2 into a sketch")
    expect(page.locator("#findings")).to_contain_text("there is no image 2")
    page.get_by_role("button", name="Name image 1 instead").click()
    expect(prompt(page)).to_have_value("turn image 1 into a sketch")
    expect(page.locator("#findings button")).to_have_count(0)
    add(page, 3, photos / "coffee.jpg")
    page.get_by_role("button", name="Move the pictures forward").click()
    expect(page.locator("#slot-2 img")).to_be_visible()
    expect(page.locator("#slot-3 img")).to_have_count(0)

    prompt(page).fill("put image 1 into the style of image 2")
    page.get_by_role("button", name="Swap 1 and 2").click()
    expect(prompt(page)).to_have_value("put image 2 into the style of image 1")
    expect(page.locator("#slot-1 img")).to_have_attribute("src", named("coffee.jpg"))
    expect(page.locator("#slot-2 img")).to_have_attribute("src", named("cat.jpg"))
    expect(status(page)).to_contain_text("their numbers in the prompt")

    prompt(page).fill("put image 1 and image 2 into image 3")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add image 3").click()
    chooser.value.set_files(photos / "rocket.jpg")
    expect(page.locator("#slot-3 img")).to_be_visible()
    expect(page.locator(".ref-check")).to_have_count(0)


def test_a_frame_like_image_1_a_starter_and_what_will_be_sent(app: App, visit: Visit, tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.new("RGB", (1600, 900), "teal").save(wide)
    page = visit(app.url)
    add(page, 1, wide)
    page.get_by_role("button", name="Like image 1").click()
    expect(page.locator("#frame")).to_contain_text("16:9")
    expect(page.locator("#image-size input")).to_have_value(named("16:9"))
    page.locator("#starters-box button").first.click()
    page.get_by_role("button", name="Change the style").click()
    expect(prompt(page)).to_have_value(named("Repaint image 1 as ["))
    wait_until(
        page,
        "(box => box.value.slice(box.selectionStart, box.selectionEnd).startsWith('['))"
        "(document.querySelector('#prompt textarea'))",
    )
    page.locator("#request-box button").first.click()
    expect(page.locator("#request-preview img")).to_have_count(1)
    expect(page.locator("#request-preview")).to_contain_text("The whole request")
    # Each change closes it. An answer about a change that comes late does not close what was opened since.
    fold, held = page.locator("#request-box > button"), list[Route]()
    page.route("**/gradio_api/run/**", lambda route: route.continue_() if held else held.append(route))
    prompt(page).fill("Repaint image 2 in blue")
    expect(fold).to_have_attribute("aria-expanded", "false")
    until(lambda: bool(held))
    fold.click()
    expect(page.locator("#request-preview")).to_contain_text("in blue")
    held[0].continue_()
    expect(page.locator("#findings")).to_contain_text("there is no image 2")
    expect(fold).to_have_attribute("aria-expanded", "true")
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_a_recipe_brings_everything_back_and_says_which_picture_differs(
    app: App, visit: Visit, photos: Path, tmp_path: Path
) -> None:
    page = visit(app.url)
    vary(page, 1)
    add(page, 1, photos / "cat.jpg")
    page.locator("#seed input").fill("77")
    run(page, photos / "cat.jpg", "image 1 as a sketch")
    with page.expect_download() as download:
        page.locator("#downloads summary").click()
        page.get_by_role("link", name="With recipe").click()
    file = tmp_path / "recipe.png"
    download.value.save_as(file)

    other = visit(app.url)
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Open a recipe").click()
    chooser.value.set_files(file)
    expect(prompt(other)).to_have_value("image 1 as a sketch")
    expect(status(other)).to_contain_text("Image 1 is missing")
    prompt(other).fill("another")
    add(other, 1, photos / "coffee.jpg")
    drop(other, file)
    expect(prompt(other)).to_have_value("image 1 as a sketch")
    expect(other.locator("#seed input")).to_have_value("77")
    expect(status(other)).to_contain_text("Image 1 is not the picture used then.")
    drop(page, photos / "cat.jpg")
    expect(status(page)).to_contain_text("carries no recipe")
    prompt(page).fill("another")
    page.locator("#slot-1").get_by_role("button", name="Remove").click()
    drop(page, file)
    expect(prompt(page)).to_have_value("image 1 as a sketch")
    expect(page.locator("#slot-1 img")).to_be_visible()


def drop(page: Page, file: Path) -> None:
    """Drop a file beside the slots."""
    data = page.evaluate_handle(
        """([data, name]) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""",
        [base64.b64encode(file.read_bytes()).decode(), file.name],
    )
    page.locator("#outputs").dispatch_event("drop", {"dataTransfer": data})


def test_a_link_counts_once_and_then_the_form_which_survives(app: App, visit: Visit, photos: Path) -> None:
    page = visit(f"{app.url}/?prompt=from%20a%20link&seed=7&lang=en")
    expect(prompt(page)).to_have_value("from a link")
    wait_until(page, "!location.search.includes('prompt') && location.search.includes('lang=en')")
    fill(page, photos / "cat.jpg", "changed since")
    wait_until(page, "JSON.parse(sessionStorage.getItem('wan-draft')).prompt == 'changed since'")
    wait_until(page, "JSON.parse(sessionStorage.getItem('wan-draft')).image_1")
    page.reload()
    expect(prompt(page)).to_have_value("changed since")
    expect(page.locator("#slot-1 img")).to_be_visible()
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("#generate")).to_have_text("생성하기")
    expect(prompt(page)).to_have_value("changed since")
    expect(page.locator("#slot-1 img")).to_be_visible()


def test_the_tabs_title_tells(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED)
    page = visit(app.url)
    title = page.title()
    fill(page, photos / "cat.jpg")
    generate(page)
    wait_until(page, "document.title.includes('working')")
    until(lambda: sandbox.counters.submits_accepted == 1)
    sandbox.finish_jobs()
    finish(page)
    wait_until(page, "document.title.startsWith('✓ Picture ready')")
    assert page.title().endswith(title)


@pytest.mark.parametrize("storage", ["localStorage", "sessionStorage"])
def test_a_browser_that_keeps_nothing_still_works(app: App, browser: Browser, photos: Path, storage: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(
        f"Object.defineProperty(window, '{storage}', {{ get() {{ throw new DOMException('no', 'SecurityError'); }} }})"
    )
    page.goto(app.url)
    page.locator(".stage").wait_for()
    fill(page, photos / "cat.jpg")
    generate(page)
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    context.close()


def test_nobody_reaches_anothers_run_by_what_its_page_shows(app: App, visit: Visit, photos: Path) -> None:
    mine, stranger = visit(app.url), visit(app.url)
    run(mine, photos / "cat.jpg", "for my eyes only")
    (entry,) = kept(mine)
    # All that a shared picture's address gives away is the folder's name, from which the key does not follow.
    address = mine.locator("[data-shown] .viewer-b img").get_attribute("src") or ""
    assert entry["key"] not in address
    stranger.reload()
    expect(stranger.locator("#history li")).to_have_count(0)
    guessed = {**entry, "key": "guessed", "request_id": "", "result": "", "references": []}
    stranger.evaluate("run => localStorage.setItem(`wan-run-${run.key}`, JSON.stringify(run))", guessed)
    stranger.reload()
    expect(stranger.get_by_role("alert")).to_contain_text("not known whether the run started")
    assert "local-preview_" not in stranger.content()
    folder = folder_of(app, entry["key"]).relative_to(app.folder / "files")
    for path in (folder, *list(folder.parents)[:-1]):
        file = app.folder / "files" / path
        assert file.is_dir()
        answer = httpx.get(f"{app.url}/gradio_api/file={file}", trust_env=False, timeout=60)
        assert answer.status_code in {403, 404}


def test_a_visitors_own_token_is_used_and_kept_nowhere(hosted: App, visit: Visit, photos: Path) -> None:
    sandbox = hosted.play(token=OWN_TOKEN, price=PRICE)
    seen: list[str] = []
    page = visit(hosted.url)
    page.on("response", lambda response: seen.append(f"{response.url} {json.dumps(response.headers)}"))
    use_token(page)
    expect(page.locator("#token-box input")).to_have_value("")
    run(page, photos / "cat.jpg")
    assert sandbox.counters.submits_accepted == 1
    (entry,) = kept(page)
    assert entry["engine"] == "visitor"
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    values = page.evaluate("[...document.querySelectorAll('input, textarea')].map((box) => box.value).join()")
    config = page.request.get(f"{hosted.url}/config").text()
    for place in (page.content(), stored, values, config, hosted.log, *seen):
        assert OWN_TOKEN not in place
        assert OWNERS_TOKEN not in place
    for file in hosted.folder.rglob("*"):
        if file.is_file():
            assert OWN_TOKEN.encode() not in file.read_bytes()
            assert OWNERS_TOKEN.encode() not in file.read_bytes()
    assert sandbox.counters.tokens_leaked == 0


def test_a_run_on_an_own_token_is_fetched_after_a_reload_once_the_token_is_there_again(
    hosted: App, visit: Visit, photos: Path
) -> None:
    app = hosted
    sandbox = app.play(token=OWN_TOKEN, run_time=UNTIL_FINISHED)
    page = visit(app.url)
    use_token(page)
    fill(page, photos / "cat.jpg")
    generate(page)
    wait_until(page, f"{RUNS}.some(([, run]) => JSON.parse(run).request_id)")
    app.stop(kill=True)
    page = reopened(page, app)
    expect(page.get_by_role("alert")).to_contain_text("another token")
    use_token(page)
    page.locator("#again").click()
    sandbox.finish_jobs()
    finish(page)
    expect(page.locator("[data-shown] .viewer-b img")).to_be_visible()
    assert sandbox.counters.submits_accepted == 1


def use_token(page: Page) -> None:
    page.locator("#token-panel button").first.click()
    page.locator("#token-box input").fill(OWN_TOKEN)
    page.locator("#token-use").click()
    expect(page.locator(".engine")).to_contain_text("the token you entered")
