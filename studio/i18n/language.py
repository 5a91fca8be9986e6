"""The page's language in the HTML that the server sends, and the switch on the page."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request

from studio.browser import files
from studio.browser.compression import compress, encoding_for
from studio.prompt import link
from studio.public.own_address import ADDRESS
from studio.public.visitors import signed_in_name
from studio.settings import can_sign_in
from studio.views.render import render

from .texts import DEFAULT_LANGUAGE, Texts, negotiate, texts_for, translations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio knows Chinese by its regions only.
_TAGS = {"zh": "zh-CN"}
# How many pages are kept: languages times encodings times the addresses that the page is at.
_KEPT = 16
# The names of Gradio, for link previews: the page has its own.
_GRADIOS_NAMES = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')


def tag(language: str) -> str:
    """The code that browsers and Gradio know the language by."""
    return _TAGS.get(language, language)


class _Words(gr.I18n):
    """The texts that the page itself names: the browser is handed these, and not those that the server fills in."""

    def __call__(self, key: str) -> Any:
        """That text, in the visitor's language."""
        for language, texts in translations().items():
            self.translations.setdefault(tag(language), {})[key] = texts[key]
        return super().__call__(key)


word = _Words()


def language_middleware(kinds: Sequence[str] = ()) -> Middleware:
    """What makes every page view come in the visitor's language; for `launch(app_kwargs={"middleware": […]})`.

    Args:
        kinds: What can be taken away on this machine.
    """
    return Middleware(_Language, kinds=tuple(kinds))


def localised(page: bytes, language: str, kinds: tuple[str, ...] = ()) -> bytes:
    """Gradio's HTML with the language's code, title and description, and what the browser puts on stage.

    Gradio translates in the browser, by what the browser says its language is: so its language is set there.
    """
    texts, code = Texts(language), tag(language)
    # What the browser fills in by itself.
    words = texts.starting_with("slot.", "camera.", "toast.", "run.left")
    styles, scripts = files.address(files.STYLES), files.address(files.SCRIPTS)
    head = render("head", texts=texts, code=code, words=words, kinds=kinds, styles=styles, scripts=scripts)
    page = _GRADIOS_NAMES.sub(b"", page)
    # Where the page is, the browser knows best.
    page = page.replace(b"const root = ", b"const root = window.gradio_config.root || ", 1)
    page = page.replace(b'href="/manifest.json"', b'href="manifest.json"', 1)
    page = page.replace(b'lang="en"', f'lang="{code}"'.encode(), 1)
    page = page.replace(_title(DEFAULT_LANGUAGE), _title(language), 1)
    page = page.replace(b"<gradio-app", render("opening", texts=texts).encode() + b"<gradio-app", 1)
    return page.replace(b"<head>", b"<head>" + head.encode(), 1)


# Stands for the languages' links in a component's first value.
LANGUAGES = "__wan_languages__"
_BY_LANGUAGE = "__wan_by_language__"
_FILLED_IN = re.compile(rb'"__wan_(?:languages|by_language)__(?:[^"\\]|\\.)*"')


def by_language(make: Callable[[Texts], str]) -> str:
    """Return a component's first value, of which the page's first answer has what is in the visitor's language."""
    return _BY_LANGUAGE + json.dumps({language: str(make(Texts(language))) for language in translations()})


def in_one_language(value: str, texts: Texts) -> str:
    """Return a component's first value in one language."""
    if not value.startswith(_BY_LANGUAGE):
        return value
    found: str = json.loads(value.removeprefix(_BY_LANGUAGE))[texts.language]
    return found


def with_first_values(page: bytes, request: Request) -> bytes:
    """Return the page with the first values that depend on the visitor: no text then arrives late and moves others."""
    texts = texts_for(gr.Request(request))

    def value(found: re.Match[bytes]) -> bytes:
        given = json.loads(found[0])
        html = switch(gr.Request(request)) if given == LANGUAGES else in_one_language(given, texts)
        # Within a script no "<" may stand for itself.
        return json.dumps(html).replace("<", "\\u003c").encode()

    return _FILLED_IN.sub(value, page)


def _title(language: str) -> bytes:
    """The title as it stands in the page's configuration, which Gradio's script shows in the tab."""
    return f'"title":{json.dumps(Texts(language)("page.title"), ensure_ascii=False)}'.encode()


def switch(request: gr.Request) -> str:
    """Links to the page in each language, each named in its own, and to sign in where that is possible."""
    texts = texts_for(request)
    # What a link asked for is in the form by now, and may have been changed there.
    kept = [(name, value) for name, value in request.query_params.items() if name not in {"lang", *link.NAMES}]
    languages = [
        {
            "query": urlencode([*kept, ("lang", language)]),
            "code": tag(language),
            "name": Texts(language)("language.name"),
            "current": language == texts.language,
        }
        for language in translations()
    ]
    return render("languages", texts=texts, languages=languages, sign_in=_sign_in(texts, request))


def _sign_in(texts: Texts, request: gr.Request) -> dict[str, str] | None:
    """Return a link to sign in or out. In a tab of its own: in a Space's frame Hugging Face may not be shown."""
    if not can_sign_in():
        return None
    scope = request.request.scope if request.request else {}
    name = signed_in_name(scope.get("session") or {})
    path, words = ("logout", texts("sign_out", name=name)) if name else ("login/huggingface", texts("sign_in"))
    return {"path": path, "words": words}


class _Language:
    """Passes every answer on as it comes, but a page, which it sends on localised and packed.

    Gradio puts a page together anew for each request, so it is asked once for each that is the same for all.
    """

    def __init__(self, app: ASGIApp, kinds: tuple[str, ...]) -> None:
        self._app = app
        self._kinds = kinds
        self._kept: dict[Any, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        language = negotiate(request.query_params.get("lang"), request.headers.get("accept-language"))
        encoding = encoding_for(request.headers.get("accept-encoding", ""))
        key = (language, encoding, _asked(request)) if _is_for_all(request) else None
        start: Message | None = None
        page = b""

        async def send_page(start: Message, page: bytes) -> None:
            # What is around here adds headers.
            await send({**start, "headers": [*start["headers"]]})
            await send({"type": "http.response.body", "body": page})

        async def send_localised(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            page += message.get("body", b"")
            if message.get("more_body"):
                return
            page = self._packed(start, with_first_values(page, request), language, encoding)
            if key and start["status"] == HTTPStatus.OK:
                self._kept[key] = start, page
                if len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
            await send_page(start, page)

        if key in self._kept:
            await send_page(*self._kept[key])
        else:
            await self._app(scope, receive, send_localised)

    def _packed(self, start: Message, page: bytes, language: str, encoding: str) -> bytes:
        """Return the page localised and compressed, and say so in its headers."""
        page = compress(localised(page, language, self._kinds), encoding)
        headers = MutableHeaders(scope=start)
        headers["content-length"] = str(len(page))
        headers.add_vary_header("Accept-Language, Accept-Encoding")
        if encoding:
            headers["content-encoding"] = encoding
        return page


def _is_for_all(request: Request) -> bool:
    """Return whether a page says nothing of who asks for it, nor of what a link fills in."""
    return (
        request.url.path == request.scope.get("root_path", "") + "/"
        and not can_sign_in()
        and set(request.query_params) <= {"lang"}
    )


def _asked(request: Request) -> tuple[str | None, ...]:
    """Return the address that a page is asked for at, as the page says it."""
    return str(request.url), *(request.headers.get(name) for name in (ADDRESS, "x-forwarded-host", "x-forwarded-proto"))


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    # A page with a policy of its own is none of Gradio's.
    own = any(name in headers for name in ("content-encoding", "content-security-policy"))
    return headers.get("content-type", "").startswith("text/html") and not own
