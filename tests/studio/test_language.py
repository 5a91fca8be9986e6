"""The page comes in the visitor's language; nothing that a visitor reads is written into the code."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
import pytest
from gradio.route_utils import get_root_url
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.i18n import language
from studio.i18n.language import language_links, language_middleware
from studio.i18n.texts import translations
from studio.public.page_url import PageUrl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

STUDIO = Path(__file__).parent.parent.parent / "studio"
PAGE = (
    '<!doctype html><html\n\tlang="en"><head><meta property="og:title" content="Gradio" />\n'
    '<meta name="twitter:creator" content="@Gradio" /><meta name="viewport" content="width=device-width" />'
    '<script>window.gradio_config = {"title":"Wan 2.6 image-to-image"};</script></head><body></body></html>'
)


def _visit(path: str, accepted: str = "", encoding: str = "identity") -> str:
    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(PAGE)

    async def stream(_: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield '<html lang="en">'
            yield "<head>"

        return StreamingResponse(parts(), media_type="text/event-stream")

    async def text(_: Request) -> PlainTextResponse:
        return PlainTextResponse('<html lang="en"><head>')

    routes = [Route("/", page), Route("/stream", stream), Route("/text", text)]
    with TestClient(Starlette(routes=routes, middleware=[language_middleware()])) as client:
        reply = client.get(path, headers={"accept-language": accepted, "accept-encoding": encoding})
        if encoding == "identity":
            assert int(reply.headers.get("content-length", len(reply.content))) == len(reply.content)
        assert reply.headers.get("content-encoding", "identity") == encoding
        return str(reply.text)


@pytest.mark.parametrize(
    ("path", "accepted", "code", "title"),
    [
        ("/?lang=ja", "ko", "ja", "Wan 2.6 画像編集"),
        ("/", "zh-Hans;q=0.7, fr", "zh-CN", "Wan 2.6 图像编辑"),
        ("/?lang=xx", "ko", "ko", "Wan 2.6 이미지 편집"),
        ("/", "", "en", "Wan 2.6 image-to-image"),
    ],
)
def test_the_html_has_the_languages_code_and_title(path: str, accepted: str, code: str, title: str) -> None:
    page = _visit(path, accepted)
    assert f'<html\n\tlang="{code}">' in page
    assert f'{{value: "{code}"}}' in page
    assert f'<meta property="og:title" content="{title}">' in page
    assert f"<title>{title}</title>" in page
    assert f'"title":"{title}"' in page
    assert '"Gradio"' not in page
    assert "@Gradio" not in page
    assert 'name="viewport"' in page


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_the_page_comes_packed_as_the_browser_takes_it(encoding: str) -> None:
    assert _visit("/?lang=ja", encoding=encoding) == _visit("/?lang=ja")


def test_nothing_of_the_address_is_written_into_the_page() -> None:
    assert "alert" not in _visit("/?lang=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")


@pytest.mark.parametrize("path", ["/stream?lang=ko", "/text?lang=ko"])
def test_what_is_no_page_passes_untouched(path: str) -> None:
    assert _visit(path) == '<html lang="en"><head>'


def test_the_switch_keeps_the_rest_of_the_address_and_marks_the_language_in_use() -> None:
    query = b'lang=ko&__sign=a%26b&x="><script>'
    shown = language_links(gr.Request(Request({"type": "http", "headers": [], "query_string": query, "path": "/"})))
    rest = "__sign=a%26b&amp;x=%22%3E%3Cscript%3E"
    assert f'<a href="?{rest}&amp;lang=ko" lang="ko" hreflang="ko" aria-current="true">한국어</a>' in shown
    assert f'<a href="?{rest}&amp;lang=zh" lang="zh-CN" hreflang="zh-CN">简体中文</a>' in shown
    assert shown.count("<a ") == len(translations())
    assert shown.count("aria-current") == 1
    assert 'aria-label="언어"' in shown


READ = {"label", "placeholder", "info", "title", "alt", "aria-label", "aria-description", "submit_btn", "stop_btn"}
FIRST_IS_READ = {"Button", "Markdown", "Tab", "Accordion", "Checkbox", "Info", "Warning", "Error", "UploadButton"}
HTML = re.compile(r"(?<!\?P)</?[a-z][a-z0-9]*( [^<>]*)?/?>")
TEMPLATE_CODE = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
VALUE_IS_READ = {"Button", "Markdown", "HTML", "DownloadButton", "UploadButton", "update"}


class _Reader(HTMLParser):
    """Gathers what a person reads, or hears, of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read += [value or "" for name, value in attrs if name in READ]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # not a script, not a style
            self.read.append(data)


def _literal(node: ast.AST) -> str | None:
    """The text that a string, or an f-string between its values, holds by itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
    return None


def _shown(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every literal of the code that a visitor would read."""
    unread = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    unread |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, text) for text in map(_literal, _given(node)) if text is not None)
        text = None if id(node) in unread else _literal(node)
        if text and HTML.search(text):
            reader = _Reader()
            reader.feed(text)
            yield from ((getattr(node, "lineno", 0), piece) for piece in reader.read)


def _given(call: ast.Call) -> Iterator[ast.AST]:
    """What a call is given to show: its label and the like, the names of its choices."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in FIRST_IS_READ:
        yield from call.args[:1]
    for given in call.keywords:
        if given.arg in READ or (given.arg == "value" and name in VALUE_IS_READ):
            yield given.value
        elif given.arg == "choices":
            yield from (pair.elts[0] for pair in ast.walk(given.value) if isinstance(pair, ast.Tuple))


def _letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


@pytest.mark.parametrize("file", sorted(STUDIO.rglob("*.py")), ids=lambda file: file.name)
def test_no_text_that_a_visitor_reads_is_written_into_the_code(file: Path) -> None:
    written = [(line, text) for line, text in _shown(ast.parse(file.read_text("utf-8"))) if _letters(text)]
    assert not written


@pytest.mark.parametrize("file", sorted(STUDIO.rglob("templates/*.html")), ids=lambda file: file.name)
def test_no_text_that_a_visitor_reads_is_written_into_a_template(file: Path) -> None:
    reader = _Reader()
    reader.feed(TEMPLATE_CODE.sub("0", file.read_text("utf-8")))
    assert not [text for text in reader.read if _letters(text)]


@pytest.mark.parametrize("file", sorted(STUDIO.rglob("*.py")), ids=lambda file: file.name)
def test_html_lies_in_templates_and_not_in_the_code(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in docstrings
        if (text := _literal(node)) and HTML.search(text)
    ]
    assert not found


def test_the_walk_through_the_code_finds_such_a_text() -> None:
    for line in (
        'gr.Button("Go")',
        'gr.Textbox(label="Prompt")',
        'gr.Error(f"No {thing}")',
        'gr.Dropdown(choices=[("Square", 1)])',
        "x = f'<p class=\"a\">Hello {name}</p>'",
        'x = f\'<img alt="A picture" src="{url}">\'',
    ):
        assert any(_letters(text) for _, text in _shown(ast.parse(line)))
    for line in ('gr.Button(word("a.b"), elem_id="go")', "x = f'<p class=\"a\">{name} · {size}</p>'"):
        assert not any(_letters(text) for _, text in _shown(ast.parse(line)))


def test_a_page_is_put_together_once_for_all_who_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def page(request: Request) -> HTMLResponse:
        nonlocal asked
        asked += 1
        return HTMLResponse(PAGE.replace("</body>", f"{get_root_url(request, '/', None)}</body>"))

    visits: list[tuple[str, dict[str, str]]] = [
        ("/", {}),
        ("/", {"X-Forwarded-Proto": "https"}),
        ("/", {"X-Forwarded-Host": "wan.example"}),
        ("/", {"X-Forwarded-Prefix": "/wan"}),
        ("/", {"Host": "another.example"}),
        ("/", {"Accept-Language": "ja"}),
        ("/?lang=ko", {}),
    ]
    app = Starlette(routes=[Route("/", page)], middleware=[Middleware(PageUrl), language_middleware()])
    with TestClient(app) as client:
        pages = [client.get(path, headers=headers).text for path, headers in visits]
        assert len(set(pages)) == asked == len(visits)
        assert [client.get(path, headers=headers).text for path, headers in visits] == pages
        assert asked == len(visits)
        for _ in range(2):
            client.get("/?prompt=for+one+visitor")
        assert asked == len(visits) + 2
        monkeypatch.setattr(language, "can_sign_in", lambda: True)
        client.get("/")
        assert asked == len(visits) + 3
