"""The page's language in the HTML that the server sends, and the links between languages on the page."""

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
from studio.prompt import settings_link
from studio.public.page_url import GRADIO_URL_HEADER
from studio.public.visitors import signed_in_name
from studio.settings import can_sign_in
from studio.views.render import render

from .texts import DEFAULT_LANGUAGE, Texts, negotiate, texts_for, translations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio knows Chinese by its regions only.
_TAGS = {"zh": "zh-CN"}
# Room for each language in each encoding, at a few of the page's addresses.
_CACHED_MAX = 16
# Gradio's own metadata for link previews, which the page replaces.
_GRADIOS_NAMES = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')


def tag(language: str) -> str:
    """Return the code that browsers and Gradio know the language by."""
    return _TAGS.get(language, language)


class _Words(gr.I18n):
    """The texts that the layout uses. The browser gets only these, not those that the server fills in."""

    def __call__(self, key: str) -> Any:
        """Return the text of that key, which Gradio shows in the visitor's language."""
        for language, texts in translations().items():
            self.translations.setdefault(tag(language), {})[key] = texts[key]
        return super().__call__(key)


word = _Words()


def language_middleware(kinds: Sequence[str] = ()) -> Middleware:
    """Return the middleware that localises each page view; for `launch(app_kwargs={"middleware": […]})`.

    Args:
        kinds: The file types that can be exported on this machine.
    """
    return Middleware(_Language, kinds=tuple(kinds))


def localise_page(page: bytes, language: str, kinds: tuple[str, ...] = ()) -> bytes:
    """Return Gradio's HTML with the language's code, title and description, and the templates of the stage.

    Gradio translates in the browser, by what the browser says its language is: so its language is set there.
    """
    texts, code = Texts(language), tag(language)
    # The texts of our scripts.
    words = texts.starting_with("slot.", "camera.", "toast.", "run.left")
    styles, scripts = files.address(files.STYLES), files.address(files.SCRIPTS)
    head = render("head", texts=texts, code=code, words=words, kinds=kinds, styles=styles, scripts=scripts)
    page = _GRADIOS_NAMES.sub(b"", page)
    # The browser knows the page's address best, also behind a proxy.
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


def first_value_by_language(make: Callable[[Texts], str]) -> str:
    """Return a component's first value in all languages; the HTML page gets the one in the visitor's language."""
    return _BY_LANGUAGE + json.dumps({language: str(make(Texts(language))) for language in translations()})


def in_one_language(value: str, texts: Texts) -> str:
    """Return a component's first value in one language."""
    if not value.startswith(_BY_LANGUAGE):
        return value
    found: str = json.loads(value.removeprefix(_BY_LANGUAGE))[texts.language]
    return found


def with_first_values(page: bytes, request: Request) -> bytes:
    """Fill in the first values that depend on the visitor, so that no late text moves others."""
    texts = texts_for(gr.Request(request))

    def value(found: re.Match[bytes]) -> bytes:
        given = json.loads(found[0])
        html = language_links(gr.Request(request)) if given == LANGUAGES else in_one_language(given, texts)
        # Within a script no "<" may stand for itself.
        return json.dumps(html).replace("<", "\\u003c").encode()

    return _FILLED_IN.sub(value, page)


def _title(language: str) -> bytes:
    """Return the title as it stands in the page's configuration, which Gradio's script shows in the tab."""
    return f'"title":{json.dumps(Texts(language)("page.title"), ensure_ascii=False)}'.encode()


def language_links(request: gr.Request) -> str:
    """Return links to the page in each language, named in that language, and a link to sign in where possible."""
    texts = texts_for(request)
    # The settings of the link are in the form by now, where the visitor may have changed them.
    kept = [(name, value) for name, value in request.query_params.items() if name not in {"lang", *settings_link.NAMES}]
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
    """Return a link to sign in or out, for a new tab: Hugging Face can't be shown in a Space's frame."""
    if not can_sign_in():
        return None
    scope = request.request.scope if request.request else {}
    name = signed_in_name(scope.get("session") or {})
    path, words = ("logout", texts("sign_out", name=name)) if name else ("login/huggingface", texts("sign_in"))
    return {"path": path, "words": words}


class _Language:
    """Passes every response on unchanged except an HTML page, which it localises and compresses.

    Gradio builds the page anew for each request, so a page that is the same for all visitors is cached.
    """

    def __init__(self, app: ASGIApp, kinds: tuple[str, ...]) -> None:
        self._app = app
        self._kinds = kinds
        self._cache: dict[Any, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        language = negotiate(request.query_params.get("lang"), request.headers.get("accept-language"))
        encoding = encoding_for(request.headers.get("accept-encoding", ""))
        key = (language, encoding, _address_key(request)) if _is_cacheable(request) else None
        start: Message | None = None
        page = b""

        async def send_page(start: Message, page: bytes) -> None:
            # Outer middleware adds headers to the list, which the cache must not see.
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
            page = self._localise(start, with_first_values(page, request), language, encoding)
            if key and start["status"] == HTTPStatus.OK:
                self._cache[key] = start, page
                if len(self._cache) > _CACHED_MAX:
                    del self._cache[next(iter(self._cache))]
            await send_page(start, page)

        if key in self._cache:
            await send_page(*self._cache[key])
        else:
            await self._app(scope, receive, send_localised)

    def _localise(self, start: Message, page: bytes, language: str, encoding: str) -> bytes:
        """Localise and compress the page, and set its headers accordingly."""
        page = compress(localise_page(page, language, self._kinds), encoding)
        headers = MutableHeaders(scope=start)
        headers["content-length"] = str(len(page))
        headers.add_vary_header("Accept-Language, Accept-Encoding")
        if encoding:
            headers["content-encoding"] = encoding
        return page


def _is_cacheable(request: Request) -> bool:
    """Return whether the page is the same for all visitors: no sign-in, and no settings in the address."""
    return (
        request.url.path == request.scope.get("root_path", "") + "/"
        and not can_sign_in()
        and set(request.query_params) <= {"lang"}
    )


def _address_key(request: Request) -> tuple[str | None, ...]:
    """Return all that Gradio makes the page's address of, which the HTML contains."""
    names = (GRADIO_URL_HEADER, "x-forwarded-host", "x-forwarded-proto")
    return str(request.url), *(request.headers.get(name) for name in names)


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    # A page with its own content security policy is not Gradio's.
    own = any(name in headers for name in ("content-encoding", "content-security-policy"))
    return headers.get("content-type", "").startswith("text/html") and not own
