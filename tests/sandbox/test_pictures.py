"""Pictures that are named by their address."""

import asyncio
import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import free_port
from wan_sandbox.queue.pictures import BadPicture, Fetcher

from .conftest import Serve
from .support import TOKEN, picture

Handler = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """A web server for pictures, and the calls that it got."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.pages: dict[str, Handler] = {}
        host = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.calls.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                host.pages[self.path.partition("?")[0]](self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def serve(self, path: str, content: bytes, status: int = 200, **headers: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        self.pages[path] = answer
        return self.url + path


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


def kinds(reply: Any) -> list[str]:
    return [entry["type"] for entry in reply.json()["detail"]]


def test_a_picture_is_fetched_from_loopback_without_the_token(serve: Serve, host: Host) -> None:
    caller = serve()
    url = host.serve("/a%3D.png", picture()) + "?signature=a%2Fb"
    request_id = caller.accepted(image_urls=[url])
    assert caller.ended(request_id)["input"]["image_urls"] == [url]
    [(path, headers)] = host.calls
    assert path == "/a%3D.png?signature=a%2Fb"
    assert TOKEN not in str(headers)
    assert "authorization" not in headers
    assert caller.sandbox.counters.inputs_fetched == 1


def test_fetched_pictures_meet_the_same_rules(serve: Serve, host: Host) -> None:
    caller = serve()
    urls = [host.serve("/small.png", picture(384, 400)), host.serve("/page", b"<html></html>")]
    urls.append(host.serve("/huge", bytes(11_000_000)))
    assert kinds(caller.submit(image_urls=urls)) == ["rule", "image_unreadable", "rule"]


def test_redirects_are_followed_and_judged_again(serve: Serve, host: Host) -> None:
    caller = serve()
    host.serve("/end.png", picture())
    good = host.serve("/good", b"", 302, Location="/end.png")
    away = host.serve("/away", b"", 302, Location="http://192.168.0.1/cat.png")
    private = host.serve("/private", b"", 302, Location="https://10.0.0.1/cat.png")
    odd = host.serve("/odd", b"", 302, Location="file:///etc/hostname")
    ring = host.serve("/ring", b"", 302, Location="/ring")
    assert caller.submit(image_urls=[good]).status_code == 200
    assert kinds(caller.submit(image_urls=[away, private, odd])) == ["url_scheme", "url_address", "url_scheme"]
    assert kinds(caller.submit(image_urls=[ring])) == ["url_fetch"]
    assert sum(path == "/ring" for path, _ in host.calls) <= 5


def test_what_cannot_be_fetched(serve: Serve, host: Host) -> None:
    caller = serve(fetch_timeout=0.3)
    missing = host.serve("/missing", b"", 404)
    host.pages["/slow"] = lambda _: time.sleep(1)
    closed = f"http://127.0.0.1:{free_port()}/cat.png"
    assert kinds(caller.submit(image_urls=[missing, host.url + "/slow", closed])) == ["url_fetch"] * 3
    assert kinds(caller.submit(image_urls=["https://" + "x" * 5000])) == ["url_too_long"]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://93.184.215.14/cat.png", "url_scheme"),
        ("http://10.0.0.1/cat.png", "url_scheme"),
        ("https://127.0.0.1/cat.png", "url_address"),
        ("https://localhost/cat.png", "url_address"),
        ("https://10.0.0.1/cat.png", "url_address"),
        ("https://169.254.169.254/latest/meta-data", "url_address"),
        ("https://[::1]/cat.png", "url_address"),
        ("https://[::ffff:10.0.0.1]/cat.png", "url_address"),
        ("https://0.0.0.0/cat.png", "url_address"),
        ("https://224.0.0.1/cat.png", "url_address"),
        ("https://", "url_scheme"),
        ("https://[oops/cat.png", "url_scheme"),
        ("https://host:port/cat.png", "url_scheme"),
        ("//127.0.0.1/cat.png", "url_scheme"),
        ("", "url_scheme"),
    ],
)
async def test_addresses_that_are_not_asked(url: str, kind: str) -> None:
    fetcher = Fetcher(1)
    with pytest.raises(BadPicture) as refused:
        await fetcher.fetch(url, ("input", "image_urls", 0))
    assert [problem.kind for problem in refused.value.problems] == [kind]
    await fetcher.close()


def test_a_sandbox_that_strangers_reach_fetches_nothing_from_loopback(serve: Serve, host: Host) -> None:
    caller = serve(host="0.0.0.0")
    assert kinds(caller.submit(image_urls=[host.serve("/a.png", picture())])) == ["url_scheme"]
    assert host.calls == []


async def test_a_name_is_judged_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(BadPicture) as refused:
        await Fetcher(1).fetch("https://rebinding.example/cat.png", ())
    assert refused.value.problems[0].kind == "url_address"
    assert ipaddress.ip_address("93.184.215.14").is_global
