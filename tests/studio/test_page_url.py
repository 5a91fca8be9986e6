"""Where the page is, as its visitors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from gradio.route_utils import get_root_url
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio.public.page_url import PageUrl

if TYPE_CHECKING:
    from starlette.requests import Request

CALL = "/gradio_api/queue/join"
HOST = "wan.example"


async def root(request: Request) -> PlainTextResponse:
    return PlainTextResponse(get_root_url(request, CALL, None))


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, f"http://{HOST}"),
        ({"X-Forwarded-Proto": "https"}, f"https://{HOST}"),
        ({"Referer": f"https://{HOST}/"}, f"https://{HOST}"),
        ({"Referer": f"https://{HOST}/wan/?lang=ko"}, f"https://{HOST}/wan"),
        ({"Referer": "https://pages.example/wan/", "X-Forwarded-Host": "pages.example"}, "https://pages.example/wan"),
        ({"Referer": "https://pages.example/wan/", "Sec-Fetch-Site": "same-origin"}, "https://pages.example/wan"),
        ({"Referer": "https://elsewhere.example/wan/", "Sec-Fetch-Site": "cross-site"}, f"http://{HOST}"),
        ({"Referer": "https://elsewhere.example/"}, f"http://{HOST}"),
        ({"Referer": "https://[/"}, f"http://{HOST}"),
        ({"X-Forwarded-Prefix": "/wan"}, f"http://{HOST}/wan"),
        ({"X-Forwarded-Prefix": "/wan/", "X-Forwarded-Proto": "https"}, f"https://{HOST}/wan"),
        ({"X-Forwarded-Prefix": "//elsewhere.example"}, f"http://{HOST}"),
    ],
)
async def test_answers_name_files_where_the_page_is(headers: dict[str, str], address: str) -> None:
    app = Starlette(routes=[Route(CALL, root, methods=["POST"])], middleware=[Middleware(PageUrl)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as client:
        assert (await client.post(CALL, headers=headers)).text == address
