"""Our page beside a bare Gradio page with the same components, in one run.

The bare page has the same components, nested alike, with the same words and pictures in them, and nothing else: no
handlers but one, no style, script, language or middleware of ours. The one handler sends something every second: what
waiting for a run costs at the least.

python -m benchmarks.page [--times 3] [--waiting 200] [--seconds 30] [--after 60]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.layouts import Form
from playwright.sync_api import sync_playwright

from tests import programs

from . import processes
from .visitors import Visitor, crowd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, CDPSession

    from .processes import Server

BARE, OURS = "bare", "ours"
# What is ours of a component's settings: the bare page does without.
OWN = {"elem_id", "elem_classes", "html_attributes", "js_on_load", "render", "key"}
GENERATE = "generate"
SETTLE_SECONDS = 1.5
# The sum of all layout shifts so far.
SHIFT = """new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const { value } of list.getEntries()) sum += value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 100);
})"""


def describe() -> list[dict[str, Any]]:
    """Return our page's components as data: class, settings, and the components nested in them."""
    from studio.i18n.language import in_one_language  # noqa: PLC0415
    from studio.i18n.texts import Texts, translations  # noqa: PLC0415
    from studio.page.build import build  # noqa: PLC0415
    from studio.page.components import Shown  # noqa: PLC0415
    from studio.runs.jobs import Jobs  # noqa: PLC0415
    from studio.settings import PageSettings  # noqa: PLC0415  # the bare page's process has nothing of ours

    page = build(PageSettings.load({"WAN_BACKEND": "sandbox"}), Jobs(PageSettings.load({"WAN_BACKEND": "sandbox"})))

    def plain(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, Shown):
            return asdict(value)
        if key := getattr(value, "key", None):
            return translations()["en"][key]
        return in_one_language(value, Texts("en")) if isinstance(value, str) else value

    def kind_of(block: Any) -> str:
        return next(kind.__name__ for kind in type(block).__mro__ if kind.__module__.startswith("gradio."))

    def described(block: Any) -> dict[str, Any]:
        given = {name: plain(value) for name, value in block.constructor_args.items() if name not in OWN}
        if block.elem_id == GENERATE:
            given["elem_id"] = GENERATE
        return {"kind": kind_of(block), "given": given, "parts": list(map(described, parts(block)))}

    def parts(block: Any) -> list[Any]:
        found = []
        for part in getattr(block, "children", None) or []:
            # Gradio puts forms around what belongs together by itself.
            found += parts(part) if isinstance(part, Form) else [part]
        return [part for part in found if hasattr(gr, kind_of(part))]  # the endpoints' are nowhere on the page

    return list(map(described, parts(page)))


def serve_bare(description: Path, port: int) -> None:
    """Serve the components that a file describes."""

    async def wait() -> AsyncIterator[str]:
        while True:
            yield f"<p>{time.time():.0f}</p>"
            await asyncio.sleep(1)

    gr.set_static_paths([processes.ROOT / "assets"])
    made: dict[str, list[Any]] = defaultdict(list)

    def make(described: dict[str, Any]) -> None:
        block = getattr(gr, described["kind"])(**described["given"])
        made[described["kind"]].append(block)
        if described["parts"]:
            with block:
                for part in described["parts"]:
                    make(part)

    with gr.Blocks(analytics_enabled=False) as page:
        for described in json.loads(description.read_text("utf-8")):
            make(described)
        generate = next(button for button in made["Button"] if button.elem_id == GENERATE)
        generate.click(wait, None, made["HTML"][-1], concurrency_limit=None, show_progress="hidden")
    page.launch(server_port=port, ssr_mode=False, run_history=False, max_threads=400, quiet=True)


@contextmanager
def served(kind: str, folder: str, api: str) -> Iterator[Server]:
    """Run one of the two pages."""
    if kind == OURS:
        with processes.page(folder, api) as server:
            yield server
        return
    port, description = processes.free_port(), Path(folder) / "components.json"
    if not description.exists():
        description.write_text(json.dumps(describe()), "utf-8")
    environment = {"GRADIO_TEMP_DIR": f"{folder}/bare"}
    command = ["-m", "benchmarks.page", "--bare", str(description), "--port", str(port)]
    with processes.running(command, port, environment) as server:
        yield server


class Traffic:
    """Counts what a page takes over the network."""

    def __init__(self, session: CDPSession) -> None:
        self.requests, self.bytes = 0, 0.0
        self.sizes: dict[str, float] = {}
        self._addresses: dict[str, str] = {}
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)

    def _asked(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.requests += 1
            self._addresses[event["requestId"]] = event["request"]["url"]

    def _came(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._addresses:
            self.bytes += event["encodedDataLength"]
            self.sizes[self._addresses[event["requestId"]]] = event["encodedDataLength"]


def visit(browser: Browser, url: str, listed: int) -> dict[str, float]:
    """Open the page twice in a fresh browser, and return what each visit took."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    traffic = Traffic(session)
    begun = time.monotonic()
    page.goto(url, wait_until="commit")
    page.locator(f"#{GENERATE}").wait_for()
    there = time.monotonic() - begun
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    for address, size in sorted(traffic.sizes.items(), key=lambda item: -item[1])[:listed]:
        print(f"    {size / 1000:8.1f} kB {address}")
    found = {
        "cold page, requests": traffic.requests,
        "cold page, kB": traffic.bytes / 1000,
        "first paint, s": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"),
        "Generate is there, s": there,
        "layout shift": page.evaluate(SHIFT),
        "browser's CPU, s": metrics["TaskDuration"],
    }
    requests, size = traffic.requests, traffic.bytes
    begun = time.monotonic()
    page.reload(wait_until="commit")
    page.locator(f"#{GENERATE}").wait_for()
    found["reload, until Generate is there, s"] = time.monotonic() - begun
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    found |= {"reload, requests": traffic.requests - requests, "reload, kB": (traffic.bytes - size) / 1000}
    context.close()
    return found


async def wait_for_runs(server: Server, number: int, seconds: float, after: float) -> dict[str, float]:
    """Send runs for many visitors, and return what each costs while it waits and how the page answers meanwhile.

    Args:
        server: The page.
        number: How many.
        seconds: For how long they are watched as they wait.
        after: From when on, in seconds since all were sent: a young run is looked at more often than an old one.
    """
    async with crowd(server.url, number) as (everybody, visitors):
        picture = await visitors[0].upload()
        cpu, begun = server.cpu, time.monotonic()
        for visitor in visitors:
            visitor.run(picture)
        await asyncio.gather(*(visitor.sent.wait() for visitor in visitors))
        sent, took = server.cpu - cpu, time.monotonic() - begun
        await asyncio.sleep(after)
        heard, cpu, begun = sum(visitor.messages for visitor in visitors), server.cpu, time.monotonic()
        await asyncio.sleep(seconds)
        minutes = (time.monotonic() - begun) / 60
        used, received = server.cpu - cpu, sum(visitor.messages for visitor in visitors) - heard
        first = everybody.seconds["first update"]
        everybody.seconds.clear()
        fresh = Visitor(everybody)
        for _ in range(10):
            await everybody.call("page", "GET", "/")
            await fresh.upload()
        return {
            "first update, median, s": median(first),
            "first update, last, s": max(first),
            "until all are sent, s": took,
            "CPU ms per run sent": 1000 * sent / number,
            "waiting: CPU ms per run and s": 1000 * used / number / minutes / 60,
            "updates per run and minute": received / number / minutes,
            "memory while they wait, MB": server.memory,
            "GET / meanwhile, ms": 1000 * median(everybody.seconds["page"]),
            "upload meanwhile, ms": 1000 * median(everybody.seconds["upload"]),
            "answers of 5xx": everybody.errors,
        }


def start(kind: str, browser: Browser, listed: int) -> dict[str, float]:
    """Start one page and visit it."""
    with tempfile.TemporaryDirectory() as folder, sandbox() as api:
        with served(kind, folder, api.url):
            pass  # from here on the files are in the system's cache for both
        with served(kind, folder, api.url) as server:
            found = {
                "start to first answer, s": server.seconds,
                "CPU until then, s": server.cpu_to_start,
                "memory after start, MB": server.memory,
            }
            visit(browser, server.url, 0)  # most servers have seen a visitor before
            found |= visit(browser, server.url, listed)
            return {**found, "memory after two visits, MB": server.memory}


def wait(kind: str, number: int, seconds: float, after: float) -> dict[str, float]:
    """Start one page with so many runs waiting."""
    with tempfile.TemporaryDirectory() as folder, sandbox() as api, served(kind, folder, api.url) as server:
        return asyncio.run(wait_for_runs(server, number, seconds, after))


def sandbox() -> AbstractContextManager[Server]:
    """Run a sandbox whose runs do not end."""
    return processes.sandbox("--run-time", "3600", "--workers", "500")


def main() -> None:
    """Run the comparison, or serve the bare page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--waiting", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--after", type=float, default=SETTLE_SECONDS, help="when the waiting begins to count")
    parser.add_argument("--list", type=int, default=0, help="name so many of the largest answers")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        serve_bare(arguments.bare, arguments.port)
        return
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def note(kind: str, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            found[name][kind].append(value)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=["--no-sandbox"])
        for _ in range(arguments.times):
            for kind in (BARE, OURS):
                note(kind, start(kind, browser, arguments.list))
        browser.close()
    for kind in (BARE, OURS) if arguments.waiting else ():
        note(kind, wait(kind, arguments.waiting, arguments.seconds, arguments.after))
    print(f"{'':32}{BARE:>10}{OURS:>10}{'ours/bare':>11}")
    for name, kinds in found.items():
        bare, ours = median(kinds[BARE]), median(kinds[OURS])
        print(f"{name:32}{bare:10.2f}{ours:10.2f}" + (f"{ours / bare:11.2f}" if bare else ""))


if __name__ == "__main__":
    main()
