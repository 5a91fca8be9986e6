"""The route at which the model fetches pictures, which are served while their run needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route

from wan_client.hosting.public_url import ROUTE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from wan_client.hosting.public_url import PublicUrl

SWEEPING_SECONDS = 60.0
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def route(store: PublicUrl) -> Route:
    """Return the route. It lists nothing; a picture is served only by its secret name.

    Args:
        store: Where the pictures lie.
    """

    async def answer(request: Request) -> Response:
        found = await asyncio.to_thread(store.find, request.path_params["name"])
        if found is None:
            return PlainTextResponse("Not Found", 404, HEADERS)
        # The length is read first, so that a file that is deleted meanwhile causes an error, not half a picture.
        try:
            stat = found.path.stat()
        except OSError:
            return PlainTextResponse("Not Found", 404, HEADERS)
        return FileResponse(found.path, 200, HEADERS, found.media_type, stat_result=stat)

    return Route(f"{ROUTE}/{{name}}", answer, methods=["GET", "HEAD"])


async def sweep_regularly(store: PublicUrl) -> None:
    """Remove regularly, until cancelled, the pictures of processes that died before removing them."""
    while True:
        await asyncio.to_thread(store.sweep)
        await asyncio.sleep(SWEEPING_SECONDS)
