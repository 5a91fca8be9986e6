"""Routes and event handlers of the comparison: what changed in a result, and kept composites of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import gradio as gr
from starlette.responses import JSONResponse, Response

from studio import uploads
from studio.browser import store
from studio.i18n.texts import texts_for
from studio.prompt.form import Form
from studio.runs import comparison, results
from studio.views import comparison as view
from wan_client import Charged, WanError

from .components import Changes, Shown  # noqa: TC001  # Gradio reads a handler's annotations as the page is built
from .rendering import rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from studio.i18n.texts import Texts
    from studio.runs.jobs import Jobs

    from .components import Components
    from .form_handlers import FormHandlers
    from .run_handlers import RunHandlers

log = logging.getLogger(__name__)

# Comparing takes memory and a processor. Beyond this many waiting calls, the next is asked to try again later.
AT_ONCE, WAITING_MAX = 1, 30
_FIELDS_MAX = 3


class CompareRoutes:
    """The routes that the viewer and the mask painter call. A run's key opens that run alone.

    Args:
        jobs: The server's jobs.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def compare(self, request: Request) -> Response:
        """Return what changed in a run's result, as JSON."""
        texts, given = texts_for(gr.Request(request)), await _form_fields(request)
        outcome = await asyncio.to_thread(results.load, given.get("key", ""))
        if outcome is None:
            return Response(status_code=404)

        def answer() -> dict[str, Any]:
            found = comparison.compare(outcome)
            return view.facts(texts, outcome, found, original=self._original_size(outcome.key, found.before))

        return await self._answered(texts, answer)

    async def keep(self, request: Request) -> Response:
        """Make a kept composite of a run's result; return its number as JSON."""
        texts, given = texts_for(gr.Request(request)), await _form_fields(request)
        outcome = await asyncio.to_thread(results.load, given.get("key", ""))
        entry = await asyncio.to_thread(self._jobs.known, given.get("key", ""))
        if outcome is None or entry is None:
            return Response(status_code=404)
        size: comparison.KeptSize = "original" if given.get("size") == "original" else "result"

        def answer() -> dict[str, Any]:
            self._jobs.disk_space.check(uploads.RESULT_BYTES)
            with self._jobs.disk_space.reserved(uploads.RESULT_BYTES):
                return {"number": comparison.keep(outcome, entry.form.slots, given.get("mask", ""), size).number}

        return await self._answered(texts, answer)

    def _original_size(self, key: str, number: int) -> tuple[int, int] | None:
        """Return width and height of a reference as it was uploaded, while its file is here."""
        entry = self._jobs.known(key)
        path = entry.form.slots[number - 1] if entry else None
        return view.size_of_upload(path) if path else None

    async def _answered(self, texts: Texts, work: Callable[[], dict[str, Any]]) -> Response:
        """Do the work in a thread, one at a time, and return its result or a sentence as JSON."""
        if self._waiting >= WAITING_MAX:
            return JSONResponse({"problem": texts("keep.busy")}, 503)
        self._waiting += 1
        try:
            async with self._at_once:
                return JSONResponse(await asyncio.to_thread(work))
        except (WanError, OSError) as problem:
            known = problem if isinstance(problem, WanError) else WanError("disk_full", charged=Charged.NO)
            words = [texts(f"error.{known.code}{part}", **known.values) for part in ("", ".hint")]
            return JSONResponse({"problem": " ".join(words)}, 422)
        except Exception:
            log.exception("a result could not be compared")
            return JSONResponse({"problem": texts("keep.failed")}, 500)
        finally:
            self._waiting -= 1


class CompareHandlers:
    """The page's event handlers for kept composites.

    Args:
        components: The page's components.
        run_handlers: What shows a run.
        form_handlers: What fills the form in.
    """

    def __init__(self, components: Components, run_handlers: RunHandlers, form_handlers: FormHandlers) -> None:
        self._components = components
        self._run_handlers = run_handlers
        self._form_handlers = form_handlers

    @rendered
    def kept(self, kept: str, shown: Shown, event: gr.EventData, request: gr.Request) -> Changes:
        """Show a kept composite that was just made."""
        known = store.read(kept)
        key, picture = _clicked_composite(event)
        entry = known.find(key)
        return self._run_handlers.show_result(known, entry, shown, picture) if entry and picture else {}

    @rendered
    def use_kept(self, event: gr.EventData, request: gr.Request, **fields: Any) -> Changes:
        """Use a kept composite as image 1, the only picture of the form."""
        key, picture = _clicked_composite(event)
        if picture is None:
            return {}
        return self._form_handlers.with_only_image_1(Form(**fields), str(picture.file(key)), "kept.used")


def _clicked_composite(event: gr.EventData) -> tuple[str, comparison.KeptPicture | None]:
    """Return the key of the run that was clicked, and the kept composite of it, if there is one."""
    key, number = str(getattr(event, "key", "")), str(getattr(event, "number", ""))
    return key, next((picture for picture in comparison.kept_pictures(key) if str(picture.number) == number), None)


async def _form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a call."""
    try:
        fields = parse_qs((await request.body()).decode("ascii"), max_num_fields=_FIELDS_MAX)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
