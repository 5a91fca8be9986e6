"""What a result changed, and kept composites of it, as the page's routes and files have them."""

from __future__ import annotations

import asyncio
import io
import shutil
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
import httpx
import numpy as np
import pytest
import pytest_asyncio
from gradio.utils import get_upload_folder
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from studio import uploads
from studio.browser import store
from studio.i18n.texts import Texts
from studio.page.compare_handlers import CompareHandlers, CompareRoutes
from studio.page.components import Shown
from studio.page.form_handlers import FormHandlers
from studio.page.layout import lay_out
from studio.page.run_handlers import RunHandlers
from studio.prompt.form import Form
from studio.public.visitors import Visitor
from studio.runs import comparison
from studio.runs.jobs import Jobs
from studio.settings import PageSettings
from tests.conftest import PHOTOS
from wan_client import Backend, Settings
from wan_client.provenance import KEPT_TEXT, PREVIEW_TEXTS
from wan_client.recipe import read
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from studio.runs.job import Job

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EN = Texts("en")
BOX = (300, 200, 800, 600)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSettings]:
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch, Sandbox(SandboxSettings(run_time=(0, 0), drift=True)) as sandbox:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "files"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield PageSettings(Settings(Backend.SANDBOX, sandbox.url), hosted_base=sandbox.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jobs(settings: PageSettings) -> AsyncIterator[Jobs]:
    jobs = Jobs(settings)
    yield jobs
    await jobs.close()


async def finished(jobs: Jobs) -> Job:
    """A finished run whose result has moved, and changed in one area."""
    upload = Path(get_upload_folder()) / "cat.jpg"
    upload.parent.mkdir(exist_ok=True)
    with Image.open(PHOTOS / "cat.jpg") as photo:
        photo.resize((1800, 1200)).save(upload, quality=95)
    form = Form("make image 1 black and white", str(upload), image_size="1200*800 (3:2)")
    (job,) = await jobs.start([form], Visitor("page"))
    await asyncio.wait_for(job.work, 60)
    assert job.outcome
    return job


class Shared(NamedTuple):
    """A run that several tests look at, with copies of its files before and after it was compared."""

    job: Job
    files: Path
    plain: Path
    compared: Path

    def restored(self, copy: Path) -> Job:
        """The run with its files as they were."""
        shutil.rmtree(self.files)
        shutil.copytree(copy, self.files)
        return self.job


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    job, folder = await finished(jobs), tmp_path_factory.mktemp("shared")
    shared = Shared(job, Path(get_upload_folder()), folder / "plain", folder / "compared")
    shutil.copytree(shared.files, shared.plain)
    assert job.outcome
    comparison.compare(job.outcome)
    shutil.copytree(shared.files, shared.compared)
    return shared


@pytest.fixture
def job(shared: Shared) -> Job:
    """The finished run, which nobody has compared yet."""
    return shared.restored(shared.plain)


@pytest.fixture
def compared_job(shared: Shared) -> Job:
    """The finished run, of which it is known what changed."""
    return shared.restored(shared.compared)


@pytest.fixture
async def page(jobs: Jobs) -> AsyncIterator[httpx.AsyncClient]:
    comparisons = CompareRoutes(jobs)
    routes = [
        Route("/compare", comparisons.compare, methods=["POST"]),
        Route("/keep", comparisons.keep, methods=["POST"]),
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://page", timeout=60) as client:
        yield client


def mask(size: tuple[int, int] = (1200, 800), box: tuple[int, int, int, int] = BOX) -> str:
    image, buffer = Image.new("RGBA", size, "black"), io.BytesIO()
    image.paste("white", box)
    image.save(buffer, "PNG")
    return b64encode(buffer.getvalue()).decode()


def pixels(file: Path) -> Any:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB")).astype(int)


async def test_what_changed_is_found_once_and_kept_with_the_run(page: httpx.AsyncClient, job: Job) -> None:
    assert job.outcome
    facts = (await page.post("/compare", data={"key": job.key})).json()
    drift = job.outcome.extra["local_preview"]["drift"]
    assert facts["before"] == "image-1"
    assert f"{100 * drift['scale']:.0f} %" in facts["place"]
    assert "turned" in facts["place"]
    assert facts["aligned"] != facts["map"]
    found = comparison.load(job.key)
    assert found
    assert 2 < found.share < 40
    assert facts["changed"][0] == EN("compare.changed", percent=f"{found.share:.0f}", count=found.areas)
    aligned, after = found.aligned_file(job.key), job.outcome.path
    assert aligned
    unchanged = np.asarray(Image.open(found.map_file(job.key) or "").resize((1200, 800))) == 0
    off = np.abs(pixels(aligned) - pixels(after)).mean(-1)[unchanged]
    unaligned = np.abs(pixels(job.outcome.before_file or after) - pixels(after)).mean(-1)[unchanged]
    assert off.mean() < unaligned.mean() / 2
    written = aligned.stat().st_mtime_ns
    assert (await page.post("/compare", data={"key": job.key})).json() == facts
    assert aligned.stat().st_mtime_ns == written


async def test_where_nothing_is_sure_nothing_is_claimed(page: httpx.AsyncClient, job: Job, photos: Path) -> None:
    assert job.outcome
    with Image.open(photos / "coffee.jpg") as photo:
        photo.resize((1200, 800)).save(job.outcome.path)
    facts = (await page.post("/compare", data={"key": job.key})).json()
    assert (facts["place"], facts["aligned"], facts["map"]) == ("", None, None)
    assert facts["changed"] == [EN("compare.not_aligned")]


async def test_the_picture_before_is_the_one_that_the_result_resembles(job: Job, photos: Path) -> None:
    """The hosted model does not say which it edited."""
    assert job.outcome
    other = uploads.served_folder(job.key, "sent-2")
    other.mkdir()
    sent = job.outcome.sent_file(1)
    sent.rename(other / sent.name)
    with Image.open(photos / "coffee.jpg") as photo:
        photo.save(sent)
    two = replace(job.outcome, extra={}, sent=(job.outcome.sent[0],) * 2)
    assert comparison.compare(two).before == 2


@pytest.mark.parametrize("size", ["result", "original"])
async def test_all_outside_the_mask_is_the_originals_to_the_pixel(
    page: httpx.AsyncClient, compared_job: Job, size: str
) -> None:
    assert compared_job.outcome
    answer = await page.post("/keep", data={"key": compared_job.key, "mask": mask(), "size": size})
    (kept,) = comparison.kept_pictures(compared_job.key)
    assert answer.json() == {"number": kept.number}
    with Image.open(compared_job.form.image_1 or "") as upload:
        original = upload.convert("RGB")
    wanted = {"result": (1200, 800), "original": (1800, 1200)}[size]
    assert (kept.width, kept.height) == wanted
    assert "local-preview" in kept.name
    assert "kept" in kept.name
    made = pixels(kept.file(compared_job.key))
    reference = np.asarray(original.resize(wanted, Image.Resampling.LANCZOS)).astype(int)
    differing = (made != reference).any(-1)
    assert differing.any()
    rows, columns = np.nonzero(differing)
    # The mask lies over the result, which has moved and zoomed.
    assert differing.mean() < 0.35
    assert rows.min() > 0.1 * wanted[1]
    assert columns.max() < 0.9 * wanted[0]
    assert pixels(kept.before_file(compared_job.key)).shape == made.shape


async def test_a_kept_composite_says_what_it_is_and_carries_its_mask(
    page: httpx.AsyncClient, compared_job: Job
) -> None:
    await page.post("/keep", data={"key": compared_job.key, "mask": mask(), "size": "result"})
    (kept,) = comparison.kept_pictures(compared_job.key)
    with Image.open(kept.file(compared_job.key)) as image:
        assert dict([KEPT_TEXT, *PREVIEW_TEXTS]).items() <= image.info.items()
    recipe = read(kept.file(compared_job.key))
    assert recipe
    assert recipe.kept
    assert (recipe.kept.image, recipe.kept.size, recipe.prompt) == (1, "result", compared_job.form.prompt)
    with Image.open(io.BytesIO(b64decode(recipe.kept.mask))) as painted:
        assert painted.getbbox() == BOX
    # From the recipe's own mask comes the same composite.
    await page.post("/keep", data={"key": compared_job.key, "mask": recipe.kept.mask, "size": "result"})
    assert comparison.kept_pictures(compared_job.key) == (kept,)


async def test_a_mask_too_fine_for_a_recipe_is_made_coarser_before_it_is_used(compared_job: Job) -> None:
    assert compared_job.outcome
    noise = np.random.default_rng(1).integers(0, 2, (800, 1200), dtype=np.uint8) * 255
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    kept = comparison.keep(
        compared_job.outcome, compared_job.form.slots, b64encode(buffer.getvalue()).decode(), "result"
    )
    recipe = read(kept.file(compared_job.key))
    assert recipe
    assert recipe.kept
    with Image.open(io.BytesIO(b64decode(recipe.kept.mask))) as painted:
        assert painted.width < 1200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "mask_unreadable"),
        ("~~~", "mask_unreadable"),
        (b64encode(b"GIF89a").decode(), "mask_unreadable"),
        (mask((5000, 10)), "mask_unreadable"),
        (mask((300, 300)), "mask_shape"),
        (mask(box=(0, 0, 0, 0)), "mask_empty"),
    ],
    ids=["nothing", "no base64", "no PNG", "too large", "another shape", "empty"],
)
async def test_what_is_no_mask_is_answered_with_a_sentence(
    page: httpx.AsyncClient, compared_job: Job, given: str, code: str
) -> None:
    answer = await page.post("/keep", data={"key": compared_job.key, "mask": given})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    words = EN(f"error.{code}", given="300 × 300", wanted="1200 × 800")
    assert answer.json()["problem"].startswith(words)
    assert not comparison.kept_pictures(compared_job.key)


async def test_without_the_runs_key_there_is_nothing(page: httpx.AsyncClient, job: Job) -> None:
    for key in ("", "another", f"{job.key}x", "../" + job.key):
        for path in ("/compare", "/keep"):
            answer = await page.post(path, data={"key": key, "mask": mask()})
            assert answer.status_code == httpx.codes.NOT_FOUND
    assert not comparison.kept_pictures("another")


async def test_only_so_many_wait(jobs: Jobs, compared_job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.page.compare_handlers.WAITING_MAX", 0)
    app = Starlette(routes=[Route("/compare", CompareRoutes(jobs).compare, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
        answer = await client.post("/compare", data={"key": compared_job.key})
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json() == {"problem": EN("keep.busy")}


@pytest.mark.parametrize("last", ["change_map", "keep_rest"])
async def test_a_run_that_is_deleted_while_it_is_looked_at_leaves_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    work = getattr(comparison, last)

    def deleted_meanwhile(*given: Any, **named: Any) -> Any:
        found = work(*given, **named)
        uploads.forget_run(job.key)
        return found

    assert job.outcome
    monkeypatch.setattr(comparison, last, deleted_meanwhile)
    if last == "change_map":
        comparison.compare(job.outcome)
    else:
        comparison.keep(job.outcome, job.form.slots, mask(), "original")
    folders = [uploads.run_folder(job.key), *(uploads.served_folder(job.key, kind) for kind in uploads.KINDS)]
    assert not any(folder.exists() for folder in folders)


async def test_the_oldest_makes_room_and_a_forgotten_run_leaves_nothing(jobs: Jobs) -> None:
    job = await finished(jobs)
    assert job.outcome
    for step in range(uploads.KEPT_MAX + 1):
        comparison.keep(job.outcome, job.form.slots, mask(box=(100 + step, 100, 400, 400)), "result")
    kept = comparison.kept_pictures(job.key)
    assert [picture.number for picture in kept] == [*range(2, uploads.KEPT_MAX + 1), 1]
    files = [file for picture in kept for file in (picture.file(job.key), picture.before_file(job.key))]
    found = comparison.load(job.key)
    assert found
    files += [file for file in (found.aligned_file(job.key), found.map_file(job.key)) if file]
    assert all(file.is_file() for file in files)
    # An address opens one file and leads to no other.
    assert len({file.parent for file in files}) == len(files)
    await jobs.forget(job.key)
    assert not any(file.exists() for file in files)


async def test_a_kept_composite_is_shown_and_becomes_image_1(
    jobs: Jobs, compared_job: Job, settings: PageSettings
) -> None:
    assert compared_job.outcome
    kept = comparison.keep(compared_job.outcome, compared_job.form.slots, mask(), "original")
    with gr.Blocks():
        components = lay_out("", "")
    run_handlers = RunHandlers(jobs, components)
    handlers = CompareHandlers(components, run_handlers, FormHandlers(jobs, components, settings, run_handlers))
    request = gr.Request(
        Request({"type": "http", "headers": [], "query_string": b"", "path": "/"}), session_hash="page"
    )
    event = gr.EventData(None, {"key": compared_job.key, "number": str(kept.number)})
    fields = dict.fromkeys(("image_1", "image_2", "image_3")) | {"prompt": "x"}
    used = handlers.use_kept(event, request, **fields)
    assert used[components.image_1] == str(kept.file(compared_job.key))
    assert uploads.is_upload(used[components.image_1])
    known = store.BrowserStore((compared_job.entry,))
    shown = run_handlers.show_result(known, compared_job.entry, Shown(), kept)[components.panel](EN)
    assert f'data-b="{comparison.kept_key(compared_job.key, kept.number)}"' in shown
    assert EN("kept.badge.preview") in shown
    assert "1800 × 1200" in shown
    nobody = gr.EventData(None, {"key": "another", "number": "1"})
    assert handlers.use_kept(nobody, request, **fields) == components.no_change
