"""The routes: the calls of the Model API, and the files that its replies name."""

from __future__ import annotations

import asyncio
import hmac
import logging
import random
import secrets
from contextlib import asynccontextmanager
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from wan_sandbox.faults import replies as fault_replies
from wan_sandbox.faults.switches import Switches, take
from wan_sandbox.messages import language_of
from wan_sandbox.queue.jobs import Job
from wan_sandbox.queue.outcomes import error_of, output_of, result_word, status_word
from wan_sandbox.queue.runs import Runs
from wan_sandbox.queue.store import Store, Stored
from wan_sandbox.server import catalogue, openapi, pages, schema
from wan_sandbox.server.replies import Problem, Refused
from wan_sandbox.server.submit_body import SubmitReader
from wan_sandbox.server.transport import Close

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from wan_sandbox.queue.counters import Counters
    from wan_sandbox.settings import Settings

LONGEST_RUN: Final = 86400.0
SLOW_JOB: Final = 10

_log = logging.getLogger("wan_sandbox")


class Api:
    """Everything behind the routes of one server."""

    def __init__(self, settings: Settings, folder: Path, counters: Counters) -> None:
        self.settings = settings
        self.counters = counters
        self.faults = Switches(settings.faults, random.Random(f"faults {settings.seed}"))  # noqa: S311
        self.store = Store(folder, settings.max_stored)
        self.runs = Runs(settings, self.store, counters, self._drawn_seconds)
        self.submits = SubmitReader(settings, self.store, counters, self.runs.make_room)
        self.on_refuse: Callable[[float], None] = lambda _seconds: None
        self._chance = random.Random(f"run times {settings.seed}")  # noqa: S311
        self._pepper = secrets.token_bytes(16)

    @asynccontextmanager
    async def life(self, _app: Starlette) -> AsyncIterator[None]:
        """Close what was opened while the server ran."""
        try:
            yield
        finally:
            await self.runs.close()
            await self.submits.close()

    # ------------------------------------------------------------------ calls

    async def submit(self, request: Request) -> Response:
        """Accept a job: ``POST /v1/models/{model_id}``."""
        self.counters.submits_received += 1
        owner = self._owner(request)
        own = self._own_switches(request)
        replaced = await self._struck(request, "submit", own)
        if replaced is not None:
            return replaced
        if request.path_params["model_id"] != schema.MODEL_ID:
            raise Refused(400001, "unknown_model")
        traits = own.traits() | self.faults.traits()
        seconds = self._run_seconds(request, traits)
        inputs, files = await self.submits.take(request, data_uris="data-uri-refused" not in traits)
        job = Job(inputs=inputs, owner=owner, input_files=files, seconds=seconds, traits=traits, switches=own)
        self.runs.accept(job)
        replaced = await self._struck(request, "accepted", own)
        return replaced or JSONResponse(
            self._links(request, job, "status_url", "result_url", "cancel_url"),
            status_code=201 if "created-201" in traits else 200,
        )

    async def status(self, request: Request) -> Response:
        """Return the state of a job: ``GET /v1/requests/{id}/status``."""
        self.counters.status_calls += 1
        job = self._job(request)
        replaced = await self._struck_job(request, "status", job)
        if replaced is not None:
            return replaced
        reply: dict[str, Any] = {"request_id": job.id, "status": status_word(job)}
        if job.stage == "in_queue":
            reply["queue_position"] = self.runs.position(job)
        return JSONResponse(reply | self._links(request, job, "status_url", "result_url"))

    async def result(self, request: Request) -> Response:
        """Return the outcome of a job: ``GET /v1/requests/{id}/result``."""
        self.counters.result_calls += 1
        job = self._job(request)
        replaced = await self._struck_job(request, "result", job)
        if replaced is not None:
            return replaced
        dated = "text-dates" not in job.traits
        reply: dict[str, Any] = {
            "request_id": job.id,
            "status": result_word(job),
            "created_at": _stamp(job.created_at) if dated else "a moment ago",
            "finished_at": job.finished_at and (_stamp(job.finished_at) if dated else "just now"),
            "input": self._echo(request, job),
        }
        if job.stage == "succeeded":
            reply |= output_of(job, self._base(request))
            reply["local_preview"] = job.plan
        elif job.stage == "failed":
            reply |= error_of(job, request.headers.get("authorization", ""))
        if job.ended and request.query_params.get("include_cost", "").lower() in {"true", "1"}:
            reply["cost"] = self.settings.price if job.stage == "succeeded" else 0.0
        return JSONResponse(reply)

    async def cancel(self, request: Request) -> Response:
        """Take a job out of the queue: ``POST /v1/requests/{id}/cancel``."""
        self.counters.cancel_calls += 1
        job = self._job(request)
        replaced = await self._struck_job(request, "cancel", job)
        if replaced is not None:
            return replaced
        self.runs.cancel(job)
        replaced = await self._struck_job(request, "cancelled", job)
        outcome = "cancelled" if job.stage == "cancelled" else "not_cancellable"
        return replaced or JSONResponse(
            {"request_id": job.id, "status": status_word(job), "outcome": outcome}, status_code=202
        )

    async def models(self, request: Request) -> Response:
        """List the catalogue: ``GET /v1/models``."""
        self.counters.model_calls += 1
        self._owner(request)
        return JSONResponse(catalogue.listing(request.query_params, self.settings.price, self._language(request)))

    async def categories(self, request: Request) -> Response:
        """List the categories of the catalogue: ``GET /v1/models/categories``."""
        self.counters.model_calls += 1
        self._owner(request)
        return JSONResponse({"categories": list(catalogue.CATEGORIES)})

    async def model(self, request: Request) -> Response:
        """Describe a model: ``GET /v1/models/{model_id}``."""
        self.counters.model_calls += 1
        self._owner(request)
        replaced = await self._struck(request, "model", self._own_switches(request))
        if replaced is not None:
            return replaced
        if request.path_params["model_id"] != schema.MODEL_ID:
            raise Refused(400001, "unknown_model")
        return JSONResponse(catalogue.entry(self.settings.price, self._language(request)))

    # ------------------------------------------------------------------ files and pages

    async def output(self, request: Request) -> Response:
        """Serve a result's picture to every caller that knows its address."""
        self.counters.output_calls += 1
        self.counters.tokens_leaked += "authorization" in request.headers
        stored = self._file(request, "outputs")
        kind = take(("output",), self._own_switches(request), self.runs.job_of(stored).switches, self.faults)
        if kind is not None:
            self.counters.faults += 1
            whole = await asyncio.to_thread(stored.path.read_bytes)
            replaced = await fault_replies.output_reply(kind, request, whole, speed=self.settings.speed)
            if replaced is not None:
                return replaced
        self.counters.outputs_served += 1
        return FileResponse(stored.path, media_type=stored.media_type)

    async def input(self, request: Request) -> Response:
        """Serve a picture that was sent along with a submit."""
        stored = self._file(request, "inputs")
        return FileResponse(stored.path, media_type=stored.media_type)

    async def redirect_target(self, request: Request) -> Response:
        """Count that a redirect was followed, and serve a picture that moved here."""
        self.counters.redirects_followed += 1
        folder, _, rest = request.path_params["rest"].partition("/")
        stored = self.store.find(rest.partition("/")[0]) if folder == "outputs" else None
        if stored is None:
            return JSONResponse({"redirected": True})
        return FileResponse(stored.path, media_type=stored.media_type)

    async def home(self, request: Request) -> Response:
        """Show a person the start page with the queue."""
        return pages.home(
            base_url=self._base(request),
            language=self._language(request),
            queue=self.runs.queue,
            accepted=self.counters.submits_accepted,
            any_token=self.settings.token is None,
        )

    async def docs(self, request: Request) -> Response:
        """Show a person the description of the API."""
        language = self._language(request)
        return pages.docs(openapi.describe(self._base(request), language), language)

    async def openapi(self, request: Request) -> Response:
        """Describe the API to a program."""
        return JSONResponse(openapi.describe(self._base(request), self._language(request)))

    async def health(self, _request: Request) -> Response:
        """Confirm that the server is up."""
        return PlainTextResponse("ok")

    # ------------------------------------------------------------------ parts of a call

    def _owner(self, request: Request) -> bytes:
        """Return the caller as a keyed digest of the token, so that no token is ever kept."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        wanted = self.settings.token
        if (
            scheme.lower() != "bearer"
            or not token
            or (wanted is not None and not hmac.compare_digest(token.encode(), wanted.encode()))
        ):
            raise Refused(400004, "unauthorised")
        return blake2b(token.encode(), key=self._pepper, digest_size=16).digest()

    def _own_switches(self, request: Request) -> Switches:
        header = request.headers.get("x-sandbox-fault", "")
        try:
            return Switches.of_header(header, self._chance)
        except ValueError as error:
            problem = Problem(("header", "X-Sandbox-Fault"), "unknown_fault", {"reason": str(error)})
            raise Refused.invalid([problem]) from None

    def _job(self, request: Request) -> Job:
        owner = self._owner(request)
        job = self.runs.records.find(request.path_params["request_id"])
        if job is None:
            raise Refused(404001, "no_request")
        if job.owner != owner:
            raise Refused(403001, "not_yours")
        return job

    def _file(self, request: Request, folder: str) -> Stored:
        stored = self.store.find(request.path_params["key"])
        if stored is None or stored.name != request.path_params["name"]:
            raise Refused(404001, "no_file")
        if request.scope["raw_path"].decode("ascii", "replace") != stored.address(folder):
            raise Refused(403001, "altered_address")
        return stored

    async def _struck(self, request: Request, place: str, *sets: Switches, job: Job | None = None) -> Response | None:
        """Return the response of the first fault that strikes: of this call, of its job, or of the whole sandbox."""
        places = (place, "poll") if place in {"status", "result"} else (place,)
        kind = take(places, *sets, self.faults)
        if kind is None:
            return None
        if kind == "refused":
            self.on_refuse(fault_replies.SECONDS_REFUSING / self.settings.speed)
        reply = await fault_replies.reply(kind, place, request, speed=self.settings.speed, job=job)
        self.counters.faults += kind == "slow" or reply is not None
        return reply

    async def _struck_job(self, request: Request, place: str, job: Job) -> Response | None:
        own = [self._own_switches(request)] if "x-sandbox-fault" in request.headers else []
        return await self._struck(request, place, *own, job.switches, job=job)

    def _run_seconds(self, request: Request, traits: frozenset[str]) -> float:
        header = request.headers.get("x-sandbox-run-time")
        seconds = self._drawn_seconds() if header is None else _seconds(header) / self.settings.speed
        return seconds * SLOW_JOB if "slow-job" in traits else seconds

    def _drawn_seconds(self) -> float:
        return self._chance.uniform(*self.settings.run_time) / self.settings.speed

    def _links(self, request: Request, job: Job, *names: str) -> dict[str, str]:
        base = "https://foreign.invalid" if "foreign-links" in job.traits else self._base(request)
        links = {name: f"{base}/v1/requests/{job.id}/{name.removesuffix('_url')}" for name in names}
        return {"request_id": job.id} | ({} if "no-links" in job.traits else links)

    def _echo(self, request: Request, job: Job) -> dict[str, Any]:
        base, uris = self._base(request), job.inputs.image_urls
        return asdict(job.inputs) | {"image_urls": [base + uri if uri.startswith("/") else uri for uri in uris]}

    def _language(self, request: Request) -> str:
        return language_of(request.headers.get("accept-language", ""))

    def _base(self, request: Request) -> str:
        """Return the address at which the caller reaches this server: ``public_url``, else the one that it used."""
        return self.settings.public_url or str(request.base_url).rstrip("/")

    # ------------------------------------------------------------------ errors

    async def refused(self, request: Request, error: Exception) -> Response:
        """Answer with the error envelope."""
        if not isinstance(error, Refused):
            raise error
        return error.reply(self._language(request))

    async def no_route(self, request: Request, error: Exception) -> Response:
        """Answer a call without a route, or with a wrong method, with the error envelope."""
        wrong_method = isinstance(error, HTTPException) and error.status_code == 405
        refused = Refused(405001, "wrong_method") if wrong_method else Refused(404000, "no_route")
        return await self.refused(request, refused)

    async def internal_error(self, request: Request, error: Exception) -> Response:
        """Log a defect of the sandbox itself and answer with the error envelope."""
        _log.error("a call could not be answered", exc_info=error)
        return await self.refused(request, Refused(500001, "defect"))

    async def client_gone(self, _request: Request, _error: Exception) -> Response:
        """Close the connection: the caller has gone."""
        return Close()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(header: str) -> float:
    try:
        seconds = float(header)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_RUN:
        problem = Problem(("header", "X-Sandbox-Run-Time"), "run_time", {"limit": int(LONGEST_RUN)})
        raise Refused.invalid([problem])
    return seconds


def build(api: Api) -> Starlette:
    """Return the application."""
    return Starlette(
        routes=[
            Route("/v1/requests/{request_id}/status", api.status, methods=["GET"]),
            Route("/v1/requests/{request_id}/result", api.result, methods=["GET"]),
            Route("/v1/requests/{request_id}/cancel", api.cancel, methods=["POST"]),
            Route("/v1/models", api.models, methods=["GET"]),
            Route("/v1/models/categories", api.categories, methods=["GET"]),
            Route("/v1/models/{model_id:path}", api.submit, methods=["POST"]),
            Route("/v1/models/{model_id:path}", api.model, methods=["GET"]),
            Route("/outputs/{key}/{name}", api.output, methods=["GET"]),
            Route("/inputs/{key}/{name}", api.input, methods=["GET"]),
            Route(fault_replies.REDIRECT_TARGET + "{rest:path}", api.redirect_target),
            Route("/", api.home, methods=["GET"]),
            Route("/docs", api.docs, methods=["GET"]),
            Route("/openapi.json", api.openapi, methods=["GET"]),
            Route("/healthz", api.health, methods=["GET"]),
        ],
        exception_handlers={
            Refused: api.refused,
            ClientDisconnect: api.client_gone,
            HTTPException: api.no_route,
            Exception: api.internal_error,
        },
        lifespan=api.life,
    )
