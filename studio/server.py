"""How the page is served: its other routes, its headers, how it starts and how it stops."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from prometheus_client import start_http_server
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from . import gradio_compat, telemetry, uploads
from .browser import files
from .i18n.language import PageLanguage
from .i18n.texts import DEFAULT_LANGUAGE, Texts
from .page.build import build, launch
from .page.compare_routes import CompareRoutes
from .page.picture_check import PictureCheckRoute
from .public import agent_guide, hosted_pictures
from .public.agent_tools import AgentTools
from .public.authentication import Authentication
from .public.health import Health
from .public.malformed_calls import malformed_calls
from .public.page_url import with_page_url
from .public.stopping import stop_gate
from .public.upload_limits import UploadLimits, text_limits
from .runs.jobs import Jobs
from .settings import METRICS_PORT, PORT
from .stage.routes import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .settings import PageSettings
    from .stage.programme import Programme

HUGGING_FACE = "https://huggingface.co"
# Gradio compiles templates and handlers in the browser and writes its configuration into the page, so scripts may be
# inline. The rest of the policy is strict: no script, picture or response comes from, or goes to, another host.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        f"img-src 'self' data: blob: {HUGGING_FACE}",
        "font-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        f"connect-src 'self' data: blob: {HUGGING_FACE}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        f"frame-ancestors 'self' {HUGGING_FACE} https://*.huggingface.co https://*.hf.space",
    ]
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# Gradio's scripts, styles and fonts.
ASSETS = ("/assets/", "/static/")
ASSET_HEADERS = ("X-Content-Type-Options",)
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
# After the last submit is answered, browsers get this long to receive the ids of the runs at work.
ID_DELIVERY_SECONDS = 1.0
# How long requests at work may still take after their connections are closed.
CLOSE_SECONDS = 2
# A signal is handled within this time.
WAKE_SECONDS = 1.0


class PortTaken(OSError):
    """A port that was asked for is in use. The message is a sentence for the person who asked."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(Texts(DEFAULT_LANGUAGE)("start.port_taken", port=port, name=name))


# Gradio's deep links would store all that is entered, a token included, for everybody who has the link, and its
# recordings would stay for ever without a limit.
CLOSED_PATHS = ("/gradio_api/deep_link", "/gradio_api/process_recording")
# Under these paths, Gradio would relay another host's response, such as a script, as if it were this host's own.
FILE_PATHS = ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/file/", "/gradio_api/proxy=", "/proxy=")


async def _not_found(_request: Request) -> Response:
    """Answer as if there were no such route."""
    return PlainTextResponse("Not Found", 404)


def no_relay(app: ASGIApp) -> ASGIApp:
    """Return middleware that answers 404 where a file's path is the URL of another host, which Gradio would relay."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        asked = next((path.partition(start)[2] for start in FILE_PATHS if start in path), "")
        answer = PlainTextResponse("Not Found", 404) if uploads.is_elsewhere(asked) else app
        await answer(scope, receive, send)

    return call


def security_headers(app: ASGIApp) -> ASGIApp:
    """Return middleware that sets the security headers.

    A Space shows the page in a frame, so there is no X-Frame-Options.

    A header that a response already has is kept: the page of a shared result is stricter.

    Gradio's own scripts, styles and fonts, of which a page needs a hundred, carry only the one that concerns them.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        assets = scope["type"] == "http" and scope["path"].startswith(ASSETS)
        headers = {name: SECURITY_HEADERS[name] for name in ASSET_HEADERS} if assets else SECURITY_HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in headers.items():
                    given.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return call


class Server:
    """The page, served until it is asked to stop.

    Args:
        settings: How the page works.
        programme: The programme that is shown, if there is one.
    """

    def __init__(self, settings: PageSettings, programme: Programme | None = None) -> None:
        self._settings = settings
        gradio_compat.install()
        self._jobs = Jobs(settings)
        self._stage = Stage(self._jobs, programme, local=not settings.public)
        self._page = build(settings, self._jobs, programme)
        if settings.mcp:
            gradio_compat.serve_tools(AgentTools(self._jobs))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._compare_routes = CompareRoutes(self._jobs)
        self._started = False

    def run(self) -> None:
        """Serve until SIGTERM, Ctrl-C or the terminal's end; then stop without cutting a submit off.

        Raises:
            PortTaken: The page's port, or that of the metrics, is in use.
            KeyboardInterrupt: Ctrl-C, once more, while it was stopping.
        """
        self._start()
        try:
            # The system may hand a signal to any thread, and Python handles it once this one wakes.
            while True:
                time.sleep(WAKE_SECONDS)
        except KeyboardInterrupt:
            self._stop()

    def _start(self) -> None:
        if self._settings.metrics_port:
            with _port_errors(self._settings.metrics_port, METRICS_PORT):
                # On a port of their own, which the page's visitors don't reach.
                start_http_server(self._settings.metrics_port, self._settings.host)
        # Gradio goes on to the next free port, also from one that was asked for: a proxy would not find it there.
        host, port = self._settings.host, self._settings.port
        with _port_errors(port, PORT):
            launch(
                self._page,
                app_kwargs={
                    "routes": [
                        *files.routes(),
                        *Health(self._jobs, self._settings).routes(),
                        Route("/slot", PictureCheckRoute().answer, methods=["POST"]),
                        Route("/compare", self._compare_routes.compare, methods=["POST"]),
                        Route("/keep", self._compare_routes.keep, methods=["POST"]),
                        *self._stage.routes(),
                        hosted_pictures.route(self._jobs.engines.pictures),
                        *agent_guide.routes(self._jobs, self._settings, lambda: self._page.root_path),
                        *(Route(path, _not_found, methods=["GET", "POST"]) for path in CLOSED_PATHS),
                    ],
                    "middleware": [
                        Middleware(security_headers),
                        *self._authentication(),
                        Middleware(stop_gate, jobs=self._jobs),
                        Middleware(with_page_url),
                        Middleware(no_relay),
                        Middleware(PageLanguage, kinds=self._stage.kinds),
                        Middleware(UploadLimits, limits=self._jobs.limits, disk_space=self._jobs.disk_space),
                        Middleware(text_limits),
                        Middleware(malformed_calls),
                    ],
                    "lifespan": self._lifespan,
                },
                mcp_server=self._settings.mcp,
                # Explicit: Gradio's own default might differ from what the limits were chosen by.
                share=self._settings.share,
                prevent_thread_lock=True,
                server_name=f"[{host}]" if ":" in host else host,
                server_port=port,
                blocked_paths=[str(uploads.records_folder().resolve())],
            )

        self._started = True
        pictures = self._jobs.engines.pictures
        pictures.base = self._stage.base = pictures.base or self._page.share_url

    def _authentication(self) -> list[Middleware]:
        login = self._settings.auth
        return [Middleware(Authentication, login=login, starting=lambda: not self._started)] if login else []

    def _stop(self) -> None:
        # A terminal that closes may signal twice. A second Ctrl-C ends the wait.
        for name in STOP_SIGNALS:
            signal.signal(name, signal.SIG_IGN)
        # Set first, so that a proxy and visitors turn to other replicas while submits are completed.
        self._jobs.stopping = True
        if self._loop:
            if asyncio.run_coroutine_threadsafe(self._jobs.stop(), self._loop).result():
                time.sleep(ID_DELIVERY_SECONDS)
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._page.server.config.timeout_graceful_shutdown = CLOSE_SECONDS
        self._page.close(verbose=False)

    async def _hang_up(self) -> None:
        """Stop listening, and close all connections: every open page holds one that would never end."""
        for listener in self._page.server.servers:
            listener.close()
        for connection in list(self._page.server.server_state.connections):
            connection.transport.close()

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        cleaning = asyncio.create_task(uploads.clean_regularly(self._settings.keep_seconds))
        sweeping = asyncio.create_task(hosted_pictures.sweep_regularly(self._jobs.engines.pictures))
        measuring = asyncio.create_task(telemetry.measure_regularly(self._jobs.limits))
        yield
        for task in (cleaning, sweeping, measuring):
            task.cancel()
        self._stage.close()
        await self._jobs.close()


@contextmanager
def _port_errors(port: int | None, name: str) -> Iterator[None]:
    """Raise `PortTaken` where a port that a variable names can't be opened."""
    try:
        yield
    except OSError:
        if port is None:
            raise
        raise PortTaken(port, name) from None


def stop_on_signals() -> None:
    """Treat the other signals that ask a process to stop like Ctrl-C, unless they are ignored, as under nohup."""
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
