"""What the page hands out as code runs as pasted, and asks for exactly what the form asks for."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from studio.i18n.texts import Texts, translations
from studio.prompt.form import Form
from studio.prompt.snippets import Snippets
from wan_client import ImageSize, prepare
from wan_client.schema import tidy
from wan_client.settings import SANDBOX_TOKEN
from wan_sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TOKEN = "demo-token-5f1c"
KINDS: dict[str, Callable[[Snippets], str]] = {
    "python": Snippets.python,
    "curl": Snippets.curl,
    "command": Snippets.command,
}
CALM = "turn image 1 into a pencil sketch"
NASTY = (
    'it\'s "quoted" `id` $(touch harm) ${HOME} $HOME \\n \\\\ %s %d {x} {{y}} 100% wow!! !touch ; touch harm & | > harm'
    "\nsecond line\ttab 연필 스케치 图 🎨👩\u200d👧 <b>&amp;</b>\nEND\nJSON\n'''\n\"\"\" #{} \x07 ~ * ? [a]"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(run_time=(0.02, 0.02), workers=4, speed=20.0, picture="blank")) as sandbox:
        yield sandbox


class Desk:
    """A folder of somebody who pastes code there, and their environment."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.folder = folder / "desk"
        self.folder.mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
        # The code waits seconds between two looks; a test need not.
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sleep").write_text(f"#!/bin/sh\nexec {shutil.which('sleep')} 0.05\n")
        (tools / "sleep").chmod(0o755)
        for name in ("python", "python3"):
            (tools / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
            (tools / name).chmod(0o755)
        self.env |= {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
            "RUNCOMFY_API_BASE": sandbox.url,
            "RUNCOMFY_API_TOKEN": TOKEN,
        }

    def paste(self, kind: str, code: str) -> subprocess.CompletedProcess[str]:
        """Run code as somebody does who pastes it into a file or a shell."""
        called = [sys.executable, "-"] if kind == "python" else ["bash"]
        options: dict[str, Any] = {"cwd": self.folder, "env": self.env, "capture_output": True, "timeout": 60}
        return subprocess.run(called, input=code, text=True, check=False, **options)

    def asked(self, ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
        """What arrived at the sandbox from a run that printed where its picture is."""
        assert ended.returncode == 0, ended.stderr
        picture = self.folder / ended.stdout.strip()
        assert picture.read_bytes().startswith(b"\x89PNG")
        request_id = picture.stem.removeprefix("local-preview_").removesuffix("_output").removesuffix("_local-preview")
        reply = httpx.get(
            f"{self.sandbox.url}/v1/requests/{request_id}/result",
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
            timeout=60,
        )
        found: dict[str, Any] = reply.json()["input"]
        return found


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    return Desk(tmp_path, sandbox)


@pytest.fixture
def pictures(tmp_path: Path, desk: Desk, photos: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two uploads whose names are trouble, and the same files where the code is pasted."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    names = ("it's $(touch harm) 고양이.jpg", "-o rocket!.jpg")
    (tmp_path / "uploads").mkdir()
    for name, photo in zip(names, ("cat.jpg", "rocket.jpg"), strict=True):
        with Image.open(photos / photo) as image:
            ImageOps.fit(image.convert("RGB"), (400, 420)).save(tmp_path / "uploads" / name)
        shutil.copy(tmp_path / "uploads" / name, desk.folder)
    return str(tmp_path / "uploads" / names[0]), str(tmp_path / "uploads" / names[1])


def a_form(pictures: tuple[str, str], prompt: str = NASTY, **changes: Any) -> Form:
    values: dict[str, Any] = {"negative_prompt": f"-{NASTY}", "image_size": ImageSize.LANDSCAPE_16_9.value, "seed": 7.0}
    return Form(prompt, *pictures, **(values | {"prompt_extend": False} | changes))


def fetched(sandbox: Sandbox, url: str) -> bytes:
    return httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60).content


@pytest.mark.parametrize("kind", KINDS)
def test_pasted_it_asks_for_exactly_what_the_form_asks_for(desk: Desk, pictures: tuple[str, str], kind: str) -> None:
    form, before = a_form(pictures), desk.sandbox.counters.submits_accepted
    asked = desk.asked(desk.paste(kind, KINDS[kind](Snippets(form, sandbox=False))))
    wanted = form.request().body([])
    assert {name: asked[name] for name in wanted if name != "image_urls"} == {
        name: value for name, value in wanted.items() if name != "image_urls"
    }
    assert desk.sandbox.counters.submits_accepted == before + 1
    assert not (desk.folder / "harm").exists()
    sent = [fetched(desk.sandbox, url) for url in asked["image_urls"]]
    # The client prepares a picture as the page does, a PNG first; curl sends the file.
    assert sent == [
        Path(picture).read_bytes() if kind == "curl" else prepare(picture, png_first=True).data for picture in pictures
    ]


@pytest.mark.parametrize("prompt", ["--help me -n 1", "runs"])
def test_a_prompt_that_looks_like_an_option_or_a_command_is_a_prompt(
    desk: Desk, pictures: tuple[str, str], prompt: str
) -> None:
    form = Form(prompt, pictures[0], negative_prompt="", seed=None)
    asked = desk.asked(desk.paste("command", Snippets(form, sandbox=False).command()))
    assert (asked["prompt"], asked["negative_prompt"], asked["seed"]) == (prompt, "", 0)


@pytest.mark.parametrize("kind", KINDS)
def test_code_of_a_page_without_a_token_stays_with_local_previews(
    desk: Desk, pictures: tuple[str, str], kind: str
) -> None:
    """Whoever pastes it may have a token: it is shown to nobody, and nothing is paid."""
    with Sandbox(Settings(run_time=(0.02, 0.02), picture="blank", token=SANDBOX_TOKEN)) as keen:
        desk.env["RUNCOMFY_API_BASE"] = keen.url
        code = KINDS[kind](Snippets(a_form(pictures, CALM), sandbox=True, api_base=keen.url))
        ended = desk.paste(kind, code)
        assert keen.counters.submits_accepted == 1, ended.stderr
    picture = desk.folder / ended.stdout.strip()
    assert picture.is_file()
    assert "local-preview" in picture.name
    assert "RUNCOMFY" not in code


@pytest.mark.parametrize("kind", KINDS)
def test_an_api_elsewhere_is_named(kind: str) -> None:
    code = KINDS[kind](Snippets(Form(CALM, "/u/cat.jpg"), sandbox=False, api_base="https://api.example.org/x"))
    assert "https://api.example.org/x" in code
    assert "example.org" not in KINDS[kind](Snippets(Form(CALM, "/u/cat.jpg"), sandbox=False))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_usual_is_not_written_out(kind: str) -> None:
    code = KINDS[kind](Snippets(Form(CALM, "/u/cat.jpg"), sandbox=False))
    for name in ("negative", "image_size", "image-size", "seed", "extend", "example"):
        assert name not in code


def test_short_code_is_short() -> None:
    form = Form(CALM, "/u/cat.jpg", image_size="1280*720 (16:9)", seed=7)
    assert Snippets(form, sandbox=False).command() == (
        "python -m wan_client edit --image-size 16:9 --seed 7 'turn image 1 into a pencil sketch' cat.jpg\n"
    )
    assert Snippets(form, sandbox=False).python() == (
        "from wan_client import edit\n\nresult = edit(\n    'turn image 1 into a pencil sketch',\n    'cat.jpg',\n"
        "    image_size='16:9',\n    seed=7,\n)\nprint(result.path)\n"
    )


def test_the_curl_script_sends_nothing_without_a_picture_or_a_token(desk: Desk, pictures: tuple[str, str]) -> None:
    before = desk.sandbox.counters.submits_accepted
    form = Form(CALM, pictures[0], "/upload/not there.png")
    ended = desk.paste("curl", Snippets(form, sandbox=False).curl())
    assert ended.returncode != 0
    assert "not there.png" in ended.stderr
    del desk.env["RUNCOMFY_API_TOKEN"]
    ended = desk.paste("curl", Snippets(Form(CALM, pictures[0]), sandbox=False).curl())
    assert ended.returncode != 0
    assert "RUNCOMFY_API_TOKEN" in ended.stderr
    assert desk.sandbox.counters.submits_accepted == before


@pytest.mark.parametrize("fault", ["close", "html-502", "no-id", "hostile-id", "redirect"])
def test_the_curl_script_sends_once_whatever_the_answer(desk: Desk, pictures: tuple[str, str], fault: str) -> None:
    with Sandbox(Settings(run_time=(0.02, 0.02), picture="blank", faults=(f"accepted-{fault}",))) as faulty:
        desk.env["RUNCOMFY_API_BASE"] = faulty.url
        ended = desk.paste("curl", Snippets(Form(CALM, pictures[0]), sandbox=False).curl())
        assert faulty.counters.submits_received == 1
        assert faulty.counters.result_calls == 0
    assert ended.returncode == 1
    assert "Generations page" in ended.stderr


BAD_READS = ("poll-close*2", "poll-html-502*2", "poll-404*1", "poll-invalid-json*1", "output-500*1")


@pytest.mark.parametrize("faults", [BAD_READS, ("images-objects", "upper-case"), ("output-string", "created-201")])
def test_the_curl_script_survives_bad_answers_to_what_only_reads(
    desk: Desk, pictures: tuple[str, str], faults: tuple[str, ...]
) -> None:
    with Sandbox(Settings(run_time=(0.02, 0.02), picture="blank", faults=faults)) as faulty:
        desk.env["RUNCOMFY_API_BASE"] = faulty.url
        ended = desk.paste("curl", Snippets(Form(CALM, pictures[0]), sandbox=False).curl())
        assert (desk.folder / ended.stdout.strip()).is_file(), ended.stderr
        assert faulty.counters.submits_received == 1
        assert faulty.counters.tokens_leaked == 0


@pytest.mark.parametrize("fault", ["failed-text", "moderation-object", "canceled", "empty-output"])
def test_the_curl_script_tells_a_failure(desk: Desk, pictures: tuple[str, str], fault: str) -> None:
    with Sandbox(Settings(run_time=(0.02, 0.02), picture="blank", faults=(fault,))) as faulty:
        desk.env["RUNCOMFY_API_BASE"] = faulty.url
        ended = desk.paste("curl", Snippets(Form(CALM, pictures[0]), sandbox=False).curl())
    assert ended.returncode == 1
    assert '"status"' in ended.stderr
    assert ended.stdout == ""


def test_the_token_is_in_no_process_list(desk: Desk, pictures: tuple[str, str]) -> None:
    """What a program is called with can be read by everybody on a machine."""
    tools = Path(desk.env["PATH"].split(os.pathsep)[0])
    (tools / "curl").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> called.txt\nexec {shutil.which("curl")} "$@"\n')
    (tools / "curl").chmod(0o755)
    desk.asked(desk.paste("curl", Snippets(Form(CALM, pictures[0]), sandbox=False).curl()))
    called = (desk.folder / "called.txt").read_text()
    assert "/v1/requests/" in called
    assert TOKEN not in called


def test_large_pictures_fit(desk: Desk, tmp_path: Path) -> None:
    """Longer by far than what a program can be called with."""
    noise = Image.effect_noise((1600, 1600), 120).convert("RGB")
    noise.save(desk.folder / "large.png")
    size = (desk.folder / "large.png").stat().st_size
    assert 4_000_000 < size < 10_000_000
    asked = desk.asked(desk.paste("curl", Snippets(Form(CALM, "/u/large.png"), sandbox=False).curl()))
    assert len(fetched(desk.sandbox, asked["image_urls"][0])) == size


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60).map(tidy).filter(bool)


@given(words, words)
def test_any_words_are_quoted(prompt: str, negative_prompt: str) -> None:
    form = Form(prompt, "/u/cat.jpg", negative_prompt=negative_prompt)
    call = ast.parse(Snippets(form, sandbox=False).python()).body[1].value  # type: ignore[attr-defined]  # an assignment
    assert ast.literal_eval(call.args[0]) == prompt
    assert ast.literal_eval(call.keywords[0].value) == negative_prompt
    assert shlex.split(Snippets(form, sandbox=False).command())[-2] == prompt
    script = Snippets(form, sandbox=False).curl()
    body = script.split("<<'JSON'\n")[1].split("\nJSON\n")[0]
    assert json.loads(body + "]}") == {
        "prompt": prompt,
        "negative_prompt": negative_prompt,
        "image_urls": [],
    }
    assert "!" not in script


def test_pictures_of_one_name_are_told_apart() -> None:
    code = Snippets(Form(CALM, "/a/image.png", "/b/image.png", "/c/cat.jpg"), sandbox=False).python()
    assert "'image-1.png',\n    'image-2.png',\n    'image-3.jpg'," in code
    assert "'image-1.jpg'" in Snippets(Form(CALM), sandbox=False).python()


class Reader(HTMLParser):
    """Reads the panel as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.code: list[str] = []
        self._in_code = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_code = tag == "code"
        if self._in_code:
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code[-1] += data


@pytest.mark.parametrize("language", sorted(translations()))
def test_the_panel_shows_all_three_and_nothing_of_the_prompt_becomes_html(language: str) -> None:
    texts, form = Texts(language), a_form(("/u/<img src=x>.jpg", "/u/b.jpg"), NASTY + "</code></pre><script>")
    page = Snippets(form, sandbox=False).panel(texts)
    read = Reader(page)
    assert read.code == [make(Snippets(form, sandbox=False)) for make in KINDS.values()]
    assert {tag for tag, _ in read.tags} == {"details", "summary", "p", "button", "pre", "code"}
    assert [given["data-copy"] for tag, given in read.tags if tag == "button"] == [texts("snippet.copied")] * 3
    assert all(given["tabindex"] == "0" and given["aria-label"] for tag, given in read.tags if tag == "pre")
    assert texts("snippet.token") in unescape(page)
    assert texts("snippet.preview") in unescape(Snippets(form, sandbox=True).panel(texts))
