"""The proxy's configuration as Compose uses it, run by Caddy in front of two stand-ins for replicas."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import BaseRequestHandler, BaseServer, UDPServer
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from tests import programs
from tests.conftest import ROOT, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Server = TypeVar("Server", bound=BaseServer)
pytestmark = pytest.mark.slow
CADDYFILE = ROOT / "deploy" / "Caddyfile"
MEGABYTE = 1_000_000


class Replica(ThreadingHTTPServer):
    """A server that says who it is and what it was sent."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, host: str = "127.0.0.1", keeps_open: bool = False) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _KeepsOpen if keeps_open else _Handler)
        self.name = f"{host}:{self.server_address[1]}"
        self.connections = 0
        self.healthy = True
        self.second_event = threading.Event()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Count the connections."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where the proxy hangs up, as it does on an upload that is too large."""

    def shutdown(self) -> None:
        """Stop, without holding any event back."""
        self.second_event.set()
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Replica

    def do_GET(self) -> None:
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"data: 1\n\n")
            self.server.second_event.wait(60)
            self.wfile.write(b"data: 2\n\n")
            return
        self._say(200 if self.server.healthy or self.path != "/readyz" else 503)

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left and (chunk := self.rfile.read(min(left, MEGABYTE))):
            left -= len(chunk)
        self._say(200)

    def _say(self, status: int) -> None:
        body = json.dumps({"replica": self.server.name, "headers": dict(self.headers)}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _KeepsOpen(_Handler):
    protocol_version = "HTTP/1.1"


class NameServer(UDPServer):
    """A name server that knows one address, which a test may change."""

    def __init__(self, address: str) -> None:
        super().__init__(("127.0.0.1", 0), _Names)
        self.address = address


class _Names(BaseRequestHandler):
    """Answers every question for a name with its server's address, if that is of the kind asked for."""

    server: NameServer

    def handle(self) -> None:
        question, door = self.request
        end = question.index(b"\0", 12) + 5
        kind = question[end - 4 : end - 2]
        address = ip_address(self.server.address)
        fits = kind == (b"\0\x01" if address.version == 4 else b"\0\x1c")
        answer = b"\xc0\x0c" + question[end - 4 : end] + bytes(4) + bytes([0, len(address.packed)]) + address.packed
        head = question[:2] + b"\x81\x80\0\x01\0" + bytes([fits]) + bytes(4)
        door.sendto(head + question[12:end] + (answer if fits else b""), self.client_address)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Have a server answer until the end of the context."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Proxy:
    """Caddy with the configuration of the repository, and the replicas behind it."""

    def __init__(self, url: str, replicas: list[Replica]) -> None:
        self.url = url
        self.replicas = {replica.name: replica for replica in replicas}

    def client(self, **headers: str) -> httpx.Client:
        """A visitor, who keeps cookies."""
        return httpx.Client(base_url=self.url, trust_env=False, headers=headers, timeout=30)


@contextmanager
def proxy(folder: Path, **environment: str) -> Iterator[Proxy]:
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(Replica())) for _ in range(2)]
        url = stack.enter_context(caddy(folder, [replica.name for replica in replicas], **environment))
        yield Proxy(url, replicas)


@contextmanager
def caddy(folder: Path, replicas: list[str], *, names: str = "", **environment: str) -> Iterator[str]:
    """Run Caddy with the configuration of the repository, in front of replicas at these addresses; yield its own.

    Args:
        folder: Where it keeps its files.
        replicas: The replicas' addresses.
        names: The address of a name server that is asked instead of the machine's own.
        environment: What else the configuration reads.
    """
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{free_port()}"
        values = {
            **os.environ,
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "SITE_ADDRESS": url,
            "REPLICAS": " ".join(replicas),
            **environment,
        }
        config = CADDYFILE
        if names:
            command = [programs.caddy(), "adapt", "--config", str(CADDYFILE)]
            adapted = subprocess.run(command, env=values, capture_output=True, check=True, text=True).stdout
            config = folder / "caddy.json"
            resolver = f'"transport":{{"resolver":{{"addresses":["{names}"]}},'
            config.write_text(adapted.replace('"transport":{', resolver))
        command = [programs.caddy(), "run", "--config", str(config)]
        with (folder / "caddy.log").open("wb") as log:
            process = subprocess.Popen(command, env=values, stdout=log, stderr=log)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        wait_until(lambda: answers(url), lambda: process.poll() is None)
        yield url


def wait_until(condition: Any, alive: Any = lambda: True) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert alive()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=30).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxy(tmp_path_factory.mktemp("plain")) as running:
        yield running


@pytest.fixture(scope="module")
def fronted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Behind something that is trusted, as a load balancer is: it says where the visitor calls from."""
    with proxy(tmp_path_factory.mktemp("fronted"), TRUSTED_FRONT="127.0.0.1/32 fd00::/8") as running:
        yield running


def test_what_a_visitor_claims_of_the_address_and_the_scheme_is_dropped(plain: Proxy) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.example"}
    with plain.client(**forged) as visitor:
        seen = visitor.get("/").json()["headers"]
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["X-Forwarded-Host"] == plain.url.removeprefix("http://")


def test_a_trusted_front_is_believed_and_a_forged_hop_before_it_is_not(fronted: Proxy) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4", "X-Forwarded-Proto": "https"}
    with fronted.client(**claimed) as visitor:
        seen = visitor.get("/").json()["headers"]
    assert seen["X-Forwarded-For"] == "198.51.100.4"
    assert seen["X-Forwarded-Proto"] == "https"


def test_a_page_stays_with_its_replica_wherever_its_address_moves_to(fronted: Proxy) -> None:
    with fronted.client() as visitor:
        addresses = [f"198.51.100.{number}" for number in range(20)]
        met = {visitor.get("/", headers={"X-Forwarded-For": address}).json()["replica"] for address in addresses}
    assert len(met) == 1


def test_programs_without_cookies_stay_with_a_replica_by_their_address(fronted: Proxy) -> None:
    met: dict[str, set[str]] = {}
    for number in range(16):
        address = f"198.51.100.{number}"
        for _ in range(3):
            with fronted.client(**{"X-Forwarded-For": address}) as program:
                met.setdefault(address, set()).add(program.get("/").json()["replica"])
    assert all(len(replicas) == 1 for replicas in met.values())
    assert set.union(*met.values()) == set(fronted.replicas), "both replicas have something to do"


def test_progress_arrives_as_it_happens(plain: Proxy) -> None:
    with plain.client() as visitor, visitor.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "data: 1"  # the replica waits with the second until the first has arrived
        for replica in plain.replicas.values():
            replica.second_event.set()
        assert [line for line in lines if line] == ["data: 2"]


@pytest.mark.parametrize(("megabytes", "status"), [(100, 200), (129, 413)])
def test_uploads_are_taken_up_to_the_limit(plain: Proxy, megabytes: int, status: int) -> None:
    chunk = bytes(MEGABYTE)
    headers = {"Content-Length": str(megabytes * MEGABYTE)}
    with plain.client() as visitor:
        answer = visitor.post("/upload", content=(chunk for _ in range(megabytes)), headers=headers)
    assert answer.status_code == status


def test_a_replica_that_stops_leaves_the_rotation_and_comes_back(tmp_path: Path) -> None:
    with proxy(tmp_path) as running, running.client() as visitor:
        first = visitor.get("/").json()["replica"]
        running.replicas[first].healthy = False
        wait_until(lambda: visitor.get("/").json()["replica"] != first)
        second = visitor.get("/").json()["replica"]
        running.replicas[first].healthy = True
        running.replicas[second].healthy = False
        wait_until(lambda: visitor.get("/").json()["replica"] == first)


def test_a_replica_that_is_gone_costs_no_request(tmp_path: Path) -> None:
    with proxy(tmp_path) as running, running.client() as visitor:
        first = visitor.get("/").json()["replica"]
        running.replicas[first].socket.close()
        assert visitor.get("/").json()["replica"] != first
        assert visitor.post("/upload", content=b"x").json()["replica"] != first


def test_a_replica_that_comes_back_under_another_address_is_found(tmp_path: Path) -> None:
    port = free_port()
    with serving(NameServer("127.0.0.1")) as names, ExitStack() as stack:
        with serving(Replica(port)) as replica:
            address = f"127.0.0.1:{names.server_address[1]}"
            url = stack.enter_context(caddy(tmp_path, [f"app:{port}"], names=address))
            visitor = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
            assert visitor.get("/").json()["replica"] == replica.name
        names.address = "::1"
        with serving(Replica(port, host="::1")) as again:
            wait_until(lambda: visitor.get("/").is_success)
            assert visitor.get("/").json()["replica"] == again.name


def test_connections_to_a_replica_are_kept(tmp_path: Path) -> None:
    calls = 20
    with serving(Replica(keeps_open=True)) as replica, ExitStack() as stack:
        url = stack.enter_context(caddy(tmp_path, [replica.name]))
        for _ in range(calls):
            httpx.get(url, trust_env=False, timeout=30).raise_for_status()
            httpx.post(f"{url}/upload", content=b"x", trust_env=False, timeout=30).raise_for_status()
        assert replica.connections < calls


def test_where_no_replica_is_left_the_visitor_reads_words_and_the_page_looks_again(tmp_path: Path) -> None:
    with proxy(tmp_path) as running, running.client() as visitor:
        for replica in running.replicas.values():
            replica.healthy = False
        wait_until(lambda: visitor.get("/").status_code == httpx.codes.SERVICE_UNAVAILABLE)
        answer = visitor.get("/")
    assert 'http-equiv="refresh"' in answer.text
    assert answer.headers["retry-after"]


def test_a_domain_gets_its_own_certificates() -> None:
    environment = {**os.environ, "SITE_ADDRESS": "wan.example.org"}
    adapted = subprocess.run(
        [programs.caddy(), "adapt", "--config", str(CADDYFILE)], env=environment, capture_output=True, check=True
    )
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    assert server["routes"][0]["match"] == [{"host": ["wan.example.org"]}]
