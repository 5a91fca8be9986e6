"""The page, and what it sends round, in Firefox and in WebKit, which Safari is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.i18n.texts import Texts
from tests import programs
from tests.conftest import UNTIL_FINISHED
from tests.export.support import item, picture
from tests.sandbox.support import until as until_so
from wan_client.export import WipeFormat, sheet, wipe
from wan_client.export import page as html_page

from . import drivers
from .drivers import ARROW_RIGHT, CONTROL, ENTER, Driver, type_text, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import App

EN = Texts("en")
STARTED = {"Firefox": drivers.firefox, "WebKit": drivers.webkit}
STATUS = "document.querySelector('#status').innerText"
RESULT = "document.querySelector('[data-shown] .viewer-b img')?.naturalWidth > 0"
# A browser that put off what a change of size leads to says so as an error, and does it with the next frame.
NOTE_ERRORS = """(window.thrown = [],
addEventListener("error", ({ message }) => message.startsWith("ResizeObserver loop") || thrown.push(message)))"""
CUT = "Number(document.querySelector('#result .viewer-stage input').value)"


@pytest.fixture(scope="module", params=programs.others())
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with STARTED[request.param]() as driver:
        yield driver


def fill(driver: Driver, file: Path, prompt: str) -> None:
    until(driver, "document.querySelector('#slot-1 input[type=file]')")
    until(driver, "document.querySelector('#draft data')")
    driver.give("#slot-1 input[type=file]", file)
    until(driver, "document.querySelector('#slot-1 img')?.naturalWidth > 0")
    type_text(driver, "#prompt textarea", prompt)


def test_a_picture_is_edited_compared_and_picked_up_after_a_reload(app: App, driver: Driver, photos: Path) -> None:
    app.play(picture="preview")
    driver.open(f"{app.url}/?lang=en")
    driver.run(NOTE_ERRORS)
    fill(driver, photos / "cat.jpg", "make image 1 sepia")
    driver.press(CONTROL, ENTER)
    until(driver, f"{STATUS}.includes('Finished')")
    until(driver, RESULT)
    driver.run("document.querySelector('#result .viewer-stage input').focus()")
    before = driver.run(CUT)
    driver.press(ARROW_RIGHT)
    assert driver.run(CUT) > before
    assert driver.run("thrown") == []

    sandbox = app.play(run_time=UNTIL_FINISHED)
    type_text(driver, "#prompt textarea", " and brighter")
    driver.press(CONTROL, ENTER)
    until_so(lambda: sandbox.counters.submits_accepted == 1)
    until(driver, "Object.keys(localStorage).filter((name) => name.startsWith('wan-run-')).length === 2")
    driver.open(f"{app.url}/?lang=en")
    until(driver, "document.querySelector('#status .run')")
    sandbox.finish_jobs()
    until(driver, f"{STATUS}.includes('Finished')")
    until(driver, RESULT)
    assert sandbox.counters.submits_accepted == 1


def test_what_is_sent_round_opens_and_its_slider_works(driver: Driver, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(html_page([item(after=picture((640, 480)))]))
    driver.open(file.as_uri())
    assert driver.run("[...document.images].every((image) => image.naturalWidth > 0) && document.images.length") == 2
    driver.run("document.querySelector('input[type=range]').focus()")
    driver.press(ARROW_RIGHT)
    cut = "parseFloat(getComputedStyle(document.querySelector('.pair')).getPropertyValue('--cut'))"
    assert driver.run(cut) > 50


def test_its_pictures_are_shown(driver: Driver, tmp_path: Path) -> None:
    one = item(after=picture((640, 480)))
    files = {"sheet.png": sheet([one], "png")[0]}
    files |= {f"wipe.{kind}": wipe(one, kind) for kind in (WipeFormat.WEBP, WipeFormat.GIF)}
    for name, data in files.items():
        file = tmp_path / name
        file.write_bytes(data)
        driver.open(file.as_uri())
        until(driver, "document.images[0]?.naturalWidth > 100")
