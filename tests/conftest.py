"""What several rooms' tests share: the real app in a process of its own, over a sandbox that a test sets up."""

from __future__ import annotations

import atexit
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import httpx
import hypothesis
import pytest
from PIL import Image

import studio  # noqa: F401  # before Gradio, which would write type stubs for two seconds
from tests import forks, programs
from wan_sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# Debian's package, which nothing else here needs, is not installed for one test.
collect_ignore = [] if programs.find_nginx() else ["test_nginx.py"]
ROOT = Path(__file__).parent.parent
PHOTOS = ROOT / "assets" / "photos"
BROWSER_TESTS = ROOT / "tests" / "browser"
# What is in these draws and compares large pictures, or needs a browser.
SLOW_FOLDERS = frozenset(ROOT / "tests" / name for name in ("browser", "compare", "export"))
# Each of these starts a server: a test that uses one is slow.
SLOW_FIXTURES = frozenset({"as_on_a_space", "by_default", "plain_app", "redis"})
START_SECONDS = 180.0
# Below 32,768, where Linux begins to give ports to outgoing connections; other systems begin higher.
FIRST_PORT, PORTS_PER_WORKER, WORKERS_MAX = 12_000, 2_000, 10
# Gradio imports something else where these are set.
READ_ON_IMPORT = frozenset({"OAUTH_CLIENT_ID", "WAN_MCP"})
# A run that goes on until `Sandbox.finish_jobs` ends it.
UNTIL_FINISHED = (3600.0, 3600.0)


def _trust_one_authority() -> None:
    """Let each client of httpx read one certificate, not all, which takes 50 ms: no test asks the world outside."""
    marker = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text("ascii").partition(marker)[0] + marker
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(first)
    atexit.register(Path(file.name).unlink)
    certifi.where = lambda: file.name
    os.environ["SSL_CERT_FILE"] = file.name


def _keep_bytecode() -> None:
    """Let the hundreds of processes that tests start share the bytecode of our modules, which else each compiles anew.

    Images of Python often switch that off.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


_trust_one_authority()
_keep_bytecode()
hypothesis.settings.register_profile("seeded", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("seeded")


def _ports() -> Iterator[int]:
    """Count through this process's part of the ports that no system gives to outgoing connections by itself.

    A port that is named now and listened on later is then taken by none of the processes that test beside this one.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + worker % WORKERS_MAX * PORTS_PER_WORKER
    for number in itertools.count(os.getpid()):
        yield first + number % PORTS_PER_WORKER


_own_ports = _ports()


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        return True
    return False


def free_port() -> int:
    """Return a port that is free, and that is returned to nobody else for the next 2,000 calls."""
    return next(filter(_is_free, _own_ports))


@pytest.fixture(autouse=True)
def _interrupts() -> None:
    """Let Ctrl-C interrupt, whatever a shell in the background or an earlier test has made of it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class App:
    """The app as a user starts it, and the sandbox behind it, which each test can set up anew at the same address.

    Attributes:
        forked: Whether what the app imports is there already when it starts, which is quicker.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._arguments = arguments
        self.forked = READ_ON_IMPORT.isdisjoint(environment)
        host = environment.get("GRADIO_SERVER_NAME", "127.0.0.1")
        self.url = f"http://[{host}]:{free_port()}" if ":" in host else f"http://{host}:{free_port()}"
        self.folder = folder
        self.sandbox: Sandbox | None = None
        self._api_port = free_port()
        self._log = folder / "app.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))},
            "GRADIO_SERVER_PORT": self.url.rsplit(":", 1)[1],
            "GRADIO_TEMP_DIR": str(folder / "files"),
            "XDG_STATE_HOME": str(folder / "state"),
            "RUNCOMFY_API_BASE": f"http://127.0.0.1:{self._api_port}",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | forks.Fork | None = None

    @property
    def log(self) -> str:
        """Everything the app has printed."""
        return self._log.read_text("utf-8", "replace")

    def launch(self) -> None:
        """Start the app, and wait for nothing."""
        with self._log.open("ab") as log:
            if self.forked:
                self._process = forks.template().start(self._arguments, self._environment, log)
            else:
                command = [sys.executable, str(ROOT / "app.py"), *self._arguments]
                self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def start(self) -> None:
        """Start the app and wait until it answers."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self.ended:
            try:
                # A page behind a password answers as well.
                if httpx.get(self.url, timeout=5, trust_env=False).status_code in {200, 401}:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.stop(kill=True)
        raise AssertionError(f"the app did not start:\n{self.log}")

    @property
    def ended(self) -> bool:
        """Whether the app is not running."""
        return self._process is None or self._process.poll() is not None

    def stop(self, *, kill: bool = False) -> None:
        """End the app; `kill` ends it as a crash would."""
        if self._process:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait(60)

    def signal(self, number: int) -> None:
        """Send the app a signal."""
        assert self._process
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """The id of the app's process."""
        assert self._process
        return self._process.pid

    def children(self) -> list[int]:
        """The processes that the app has started and that live."""
        listed = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in listed.stdout.split()]

    def wait(self, seconds: float = 60) -> int:
        """Wait for the app to end; return its exit code."""
        assert self._process
        return self._process.wait(seconds)

    def play(self, **settings: Any) -> Sandbox:
        """Put a sandbox with these settings behind the app."""
        if self.sandbox:
            self.sandbox.stop()
        defaults: dict[str, Any] = {"port": self._api_port, "run_time": (0.2, 0.2), "picture": "blank"}
        self.sandbox = Sandbox(Settings(**{**defaults, **settings})).start()
        return self.sandbox


@contextmanager
def made_app(*arguments: str, **environment: str) -> Iterator[App]:
    """An app with these arguments and environment variables, yet to be started, with a plain sandbox behind it."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder), *arguments, **environment)
        app.play()
        try:
            yield app
        finally:
            app.stop()
            if app.sandbox:
                app.sandbox.stop()


@contextmanager
def running_app(*arguments: str, **environment: str) -> Iterator[App]:
    """An app as `made_app` makes it, running."""
    with made_app(*arguments, **environment) as app:
        app.start()
        yield app


@pytest.fixture(scope="session")
def plain_app() -> Iterator[App]:
    with made_app(WAN_BACKEND="sandbox") as app:
        yield app


@pytest.fixture
def app(plain_app: App) -> App:
    """The app as it is without a token, always at the same address: browsers keep its scripts. A test may stop it."""
    plain_app.play()
    if plain_app.ended:
        plain_app.start()
    return plain_app


@pytest.fixture
def photos() -> Path:
    """The sample photographs."""
    return PHOTOS


@pytest.fixture(scope="session")
def plain_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain pictures in place of the photographs, which are prepared at once, for those who do not look at them."""
    folder = tmp_path_factory.mktemp("photos")
    for shade, (name, size) in enumerate((("cat", (451, 300)), ("coffee", (600, 400)), ("rocket", (640, 427)))):
        Image.new("RGB", size, (90, 120 + shade, 140)).save(folder / f"{name}.jpg")
    return folder


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients in this process ask how a run goes so often that no test waits for it."""
    for name in ("QUEUE_SECONDS", "LEARNING_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(f"wan_client.state.polling.{name}", (0.025, 0.4))
    monkeypatch.setattr("wan_client.state.polling.POLLS_PER_SECOND", 1000.0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a page, a browser, a Redis server or large pictures as slow, and plan the run.

    A file's tests run in one process, one after another. The browser's files share two processes, so that no more than
    two browsers are open at once, each with half of the tests that load the page, and begin first; then come the files
    with the most slow tests, so that no long one is left for the end.
    """
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())) or SLOW_FOLDERS.intersection(
            item.path.parents
        ):
            item.add_marker(pytest.mark.slow)
    files = Counter(item.path for item in items)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    loads = Counter(item.path for item in items if "visit" in getattr(item, "fixturenames", ()))
    groups = {path: str(path.relative_to(ROOT)) for path in files}
    browsers = {"browser 1": 0, "browser 2": 0}
    for path in sorted(files, key=lambda path: (-loads[path], path)):
        if BROWSER_TESTS in path.parents:
            groups[path] = min(browsers, key=lambda name: browsers[name])
            browsers[groups[path]] += 1 + loads[path]
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item.path]))

    def turn(item: pytest.Item) -> tuple[bool, str, int, int, Path]:
        in_browser = groups[item.path] in browsers
        return (
            not in_browser,
            groups[item.path] if in_browser else "",
            -slow[item.path],
            len(item.path.parts),
            item.path,
        )

    items.sort(key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what its app has printed to a failed test, unless the app's folder has been removed by then."""
    report = yield
    app = getattr(item, "funcargs", {}).get("app")
    if report.failed and isinstance(app, App) and app.folder.exists():
        report.sections.append(("the app's log", app.log[-4000:]))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test tests nothing, so it fails the run."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
