"""Firefox and WebKit, as far as one test needs them: over WebDriver BiDi and over WebDriver.

Playwright drives builds of its own of these two, which no distribution has; what people open the page with is this.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from websockets.sync.client import connect

from tests import programs
from tests.conftest import free_port
from tests.sandbox.support import until as until_so

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.connection import Connection

START_SECONDS = 120.0
PATIENCE_SECONDS = 180.0
# Of the keyboard, by WebDriver's numbers.
CONTROL, ENTER, ARROW_RIGHT = "\ue009", "\ue007", "\ue014"
# What an element is called in an answer (WebDriver, section 12.1).
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Driver(Protocol):
    """A browser with one page."""

    def open(self, url: str) -> None:
        """Open an address and wait until it is loaded."""

    def run(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to, through JSON."""

    def give(self, selector: str, file: Path) -> None:
        """Choose a file in a file input."""

    def press(self, *keys: str) -> None:
        """Press keys together, in this order."""


def until(driver: Driver, expression: str) -> None:
    """Wait until an expression is true in the page."""
    until_so(lambda: bool(driver.run(f"Boolean({expression})")), PATIENCE_SECONDS)


def type_text(driver: Driver, selector: str, text: str) -> None:
    """Type into an element."""
    driver.run(f"document.querySelector({selector!r}).focus()")
    for letter in text:
        driver.press(letter)


def _key_actions(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    strokes = [{"type": "keyDown", "value": key} for key in keys]
    strokes += [{"type": "keyUp", "value": key} for key in reversed(keys)]
    return [{"type": "key", "id": "keyboard", "actions": strokes}]


class Firefox:
    """Firefox, over WebDriver BiDi, which it speaks itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._number = 0
        self._call("session.new", capabilities={})
        (self._page,) = [page["context"] for page in self._call("browsingContext.getTree")["contexts"]]

    def open(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._call("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to, through JSON."""
        return json.loads(self._evaluated(f"JSON.stringify(({expression}) ?? null)")["value"])

    def give(self, selector: str, file: Path) -> None:
        """Choose a file in a file input."""
        found = self._evaluated(f"document.querySelector({selector!r})")
        self._call("input.setFiles", context=self._page, element={"sharedId": found["sharedId"]}, files=[str(file)])

    def press(self, *keys: str) -> None:
        """Press keys together, in this order."""
        self._call("input.performActions", context=self._page, actions=_key_actions(keys))

    def _evaluated(self, expression: str) -> dict[str, Any]:
        answer = self._call("script.evaluate", expression=expression, target={"context": self._page}, awaitPromise=True)
        assert answer["type"] == "success", answer
        result: dict[str, Any] = answer["result"]
        return result

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(PATIENCE_SECONDS))
            if answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                result: dict[str, Any] = answer["result"]
                return result


class WebKit:
    """WebKit's own small browser, over WebDriver."""

    def __init__(self, client: httpx.Client, browser: str) -> None:
        self._client = client
        options = {"binary": browser, "args": ["--automation"]}
        capabilities = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        self._session = ""
        self._session = self._call("POST", "", capabilities={"alwaysMatch": capabilities})["sessionId"]

    def open(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._call("POST", "/url", url=url)

    def run(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to, through JSON."""
        script = f"return JSON.stringify(({expression}) ?? null)"
        return json.loads(self._call("POST", "/execute/sync", script=script, args=[]))

    def give(self, selector: str, file: Path) -> None:
        """Choose a file in a file input."""
        element = self._call("POST", "/element", using="css selector", value=selector)[_ELEMENT]
        self._call("POST", f"/element/{element}/value", text=str(file))

    def press(self, *keys: str) -> None:
        """Press keys together, in this order."""
        self._call("POST", "/actions", actions=_key_actions(keys))

    def close(self) -> None:
        """Close the browser."""
        self._call("DELETE", "")

    def _call(self, method: str, path: str, **parameters: Any) -> Any:
        address = f"/session/{self._session}{path}" if self._session else "/session"
        answer = self._client.request(method, address, json=parameters if method == "POST" else None).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer


@contextmanager
def firefox() -> Iterator[Driver]:
    """Start Firefox without a window."""
    path, port = programs.find_firefox(), free_port()
    assert path
    with tempfile.TemporaryDirectory() as profile:
        command = [path, "--headless", "--no-remote", "--profile", profile]
        with _running(*command, "--remote-debugging-port", str(port), HOME=profile):
            _wait_for(port)
            with connect(f"ws://127.0.0.1:{port}/session", max_size=None) as connection:
                yield Firefox(connection)


@contextmanager
def webkit() -> Iterator[Driver]:
    """Start WebKit's browser on a screen that nobody sees."""
    found, port = programs.find_webkit(), free_port()
    assert found
    driver_path, browser = found
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        display = f":{1000 + os.getpid() % 50_000}"
        stack.enter_context(_running("Xvfb", display, "-screen", "0", "1440x900x24", "-nolisten", "tcp"))
        own = {"HOME": folder, "DISPLAY": display, "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1"}
        stack.enter_context(_running(driver_path, f"--port={port}", "--host=127.0.0.1", **own))
        _wait_for(port)
        address = f"http://127.0.0.1:{port}"
        client = stack.enter_context(httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, trust_env=False))
        driver = WebKit(client, browser)
        stack.callback(driver.close)
        yield driver


@contextmanager
def _running(*command: str, **environment: str) -> Iterator[None]:
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    """Wait until something answers at the port, in whatever protocol."""

    def answers() -> bool:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=10, trust_env=False)
        except httpx.ConnectError:
            return False
        except httpx.TransportError:
            pass
        return True

    until_so(answers, START_SECONDS)
