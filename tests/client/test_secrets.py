"""Neither the token nor an output's address is in anything that the client writes, shows or keeps."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from wan_client import Finished, Journal, WanError
from wan_client.addresses import without_addresses, without_secret

from .support import TOKEN, an_edit, answer, hurried, picture, scripted
from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .support import Scripted

ACCOUNT = "eJwzNjE2NzSyNDEzMjQy0TMyMDbVNzUyMTUBADVZBTs%3D"
PATH = f"{ACCOUNT}/{ACCOUNT}_output.png"
# All of what would give it away, whole or as the path alone, plain or decoded.
SECRETS = (TOKEN, ACCOUNT, ACCOUNT.replace("%3D", "="), "/outputs-of/", "storage-public.runcomfy")


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore", "wan_client", "asyncio"):
            caplog.set_level(logging.DEBUG, name)
        yield


def talkative(url: str) -> dict[str, Any]:
    """What an API may add to a reply: the address in every spelling, and the token."""
    spellings = [url, url.partition(":")[2], url.replace("/", "\\/"), quote(url, safe=""), PATH, f"see {url}, please"]
    return {
        "note": spellings,
        "thumbnail": f"https://playgrounds-storage-public.runcomfy.net/outputs-of/{PATH}",
        "host": f"playgrounds-storage-public.runcomfy.com/outputs-of/{PATH}",
        "auth": [f"Bearer {TOKEN}", {TOKEN: {"a": {url: json.dumps({"token": TOKEN})}}}],
        "debug": "kept",
    }


def serving(server: Scripted, *results: dict[str, Any], output: list[Any] | None = None) -> None:
    name = f"{ACCOUNT}_output.png"
    url = f"{server.url}/outputs-of/{PATH}"
    server.answers |= {
        "submit": [answer({"request_id": "r1", "result_url": url})],
        "status": [answer({"status": "completed", **talkative(url)})],
        "result": [answer({**talkative(url), **result}) for result in results]
        or [answer({"status": "succeeded", "output": {"image": url}, **talkative(url)})],
        name: output or [(200, {"Content-Type": "image/png"}, picture())],
    }


def search(text: str, where: str) -> None:
    for secret in SECRETS:
        assert secret not in text, (where, secret)


def search_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        search(str(path.relative_to(folder)), "a file's name")
        if path.is_file():
            search(path.read_bytes().decode("latin-1"), path.name)


@pytest.mark.parametrize(
    "output",
    [
        None,
        [answer(b"", 302, Location=f"https://storage-public.runcomfy.net/outputs-of/{PATH}")],
        [answer(b"not a picture")],
        [answer(b"<Error/>", 403)],
        [answer(b"", 200, Content_Length="99999999999")],
    ],
)
async def test_a_run_gives_away_neither(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, output: list[Any] | None
) -> None:
    journal = Journal(tmp_path / "journal.db")
    said: list[str] = []
    asyncio.get_running_loop().set_debug(True)
    with scripted() as server:
        serving(server, output=output)
        async with hurried(server.url, tmp_path / "out", journal, deadline=2.0) as client:
            run = client.run(an_edit())
            try:
                async for event in run:
                    said.append(repr(event))
                    if isinstance(event, Finished):
                        assert event.result.extra["debug"] == "kept"
                        said.append(json.dumps(dict(event.result.extra)))
            except WanError as problem:
                said += [str(problem), repr(problem), str(problem.as_dict()), str(vars(problem))]
            said += [repr(run), repr(client), repr(client.settings), repr(run.result), repr(client._resources)]
    assert (run.result is None) == (output is not None)
    search("\n".join(said), "what was said")
    search(caplog.text + repr([record.args for record in caplog.records]), "the log")
    search_files(tmp_path)


@pytest.mark.parametrize("failure", ["failed", {"message": "no", "code": "x"}])
async def test_a_failed_run_gives_away_neither(tmp_path: Path, caplog: pytest.LogCaptureFixture, failure: Any) -> None:
    with scripted() as server:
        url = f"{server.url}/outputs-of/{PATH}"
        words = f"{json.dumps(failure)} at {url} with {TOKEN} in {PATH}"
        serving(server, {"status": "failed", "output": {"image": url}, "error": {"failure": failure, "words": words}})
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(WanError) as caught:
                await client.run(an_edit())
    search(repr(vars(caught.value)) + str(caught.value), "the error")
    search(caplog.text, "the log")


@pytest.mark.parametrize("command", [("sketch", "cat.png"), ("--json", "sketch", "cat.png"), ("batch", "list.csv")])
def test_the_command_gives_away_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None, caplog: pytest.LogCaptureFixture, command: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path)
    (tmp_path / "list.csv").write_text("prompt,image_1\nsketch,cat.png\n")
    with scripted() as server:
        serving(server)
        env = {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": server.url, "WAN_DEADLINE": "20"}
        shell.env |= env
        code, out, err = shell.run(*command)
        assert code == 0, err
        shell.run("runs", "--json")
        _, price, told = shell.run("price", "--json")
    search(out + err + price + told, "what was printed")
    search(caplog.text, "the log")
    search_files(tmp_path)
    assert len(list(tmp_path.rglob("*.png"))) == 2


@pytest.mark.parametrize("word", ["output", "sandbox", "The price is free", "a/b", "1.5", "C:\\x", "image_urls"])
def test_words_that_are_no_address_stay(word: str) -> None:
    address = f"https://storage-public.runcomfy.net/output/{PATH}"
    assert without_addresses(f"say {word}!", [address]) == f"say {word}!"
    assert without_secret(word, "sandbox-token", "[token]") == word
