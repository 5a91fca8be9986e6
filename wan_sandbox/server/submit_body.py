"""A submit's body → its inputs, with the pictures checked and kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from wan_sandbox.queue import pictures
from wan_sandbox.server import validation
from wan_sandbox.server.replies import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from wan_sandbox.queue.counters import Counters
    from wan_sandbox.queue.store import Store, Stored
    from wan_sandbox.server.validation import SubmitInputs
    from wan_sandbox.settings import Settings

BODIES_AT_ONCE: Final = 8
BODY_TIMEOUT: Final = 60.0


class SubmitReader:
    """Reads bodies, a few at once: each may be large, and is held in memory until its pictures are on disk."""

    def __init__(self, settings: Settings, store: Store, counters: Counters, make_room: Callable[[], None]) -> None:
        self._limit = settings.max_body
        self._store = store
        self._counters = counters
        self._make_room = make_room
        self._places = asyncio.Semaphore(BODIES_AT_ONCE)
        self._fetcher = pictures.Fetcher(settings.fetch_timeout, loopback=pictures.is_loopback(settings.host))

    async def take(self, request: Request, *, data_uris: bool) -> tuple[SubmitInputs, list[Stored]]:
        """Read a submit and keep its pictures; return the inputs, which name their files, and the files.

        Raises:
            Refused: Something is wrong with it; nothing was kept.
        """
        async with self._places:
            self._make_room()
            try:
                body = await asyncio.wait_for(self._read(request), BODY_TIMEOUT)
            except asyncio.TimeoutError:
                raise Refused(408001, "body_too_slow") from None
            inputs = await asyncio.to_thread(validation.read, body)
            checked = await self._check(inputs, data_uris=data_uris)
            # Others may have filled the store meanwhile.
            self._make_room()
            files = [await self._keep(picture, number) for number, picture in enumerate(checked, 1)]
        # The job keeps addresses, not the pictures themselves: it stays small however long it is kept.
        addresses = tuple(
            file.address("inputs") if pictures.is_data_uri(uri) else uri
            for uri, file in zip(inputs.image_urls, files, strict=True)
        )
        return replace(inputs, image_urls=addresses), files

    async def close(self) -> None:
        """Close the connections to other hosts."""
        await self._fetcher.close()

    async def _read(self, request: Request) -> bytes:
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self._limit:
            raise Refused(413001, "body_too_large", limit=self._limit)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._limit:
                raise Refused(413001, "body_too_large", limit=self._limit)
        return bytes(body)

    async def _check(self, inputs: SubmitInputs, *, data_uris: bool) -> list[pictures.Picture]:
        asked = (
            self._picture(uri, ("input", "image_urls", index), data_uris=data_uris)
            for index, uri in enumerate(inputs.image_urls)
        )
        checked: list[pictures.Picture] = []
        problems: list[Problem] = []
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, pictures.BadPicture):
                problems += answer.problems
            elif isinstance(answer, BaseException):
                raise answer
            else:
                checked.append(answer)
        if problems:
            raise Refused.invalid(problems)
        return checked

    async def _picture(self, uri: str, loc: pictures.Loc, *, data_uris: bool) -> pictures.Picture:
        if not pictures.is_data_uri(uri):
            data = await self._fetcher.fetch(uri, loc)
            self._counters.inputs_fetched += 1
        elif data_uris:
            data = await asyncio.to_thread(pictures.decode, uri, loc)
        else:
            raise pictures.BadPicture(Problem(loc, "data_uri_refused"))
        return await asyncio.to_thread(pictures.check, data, loc)

    async def _keep(self, picture: pictures.Picture, number: int) -> Stored:
        key, path = self._store.place()
        await asyncio.to_thread(path.write_bytes, picture.data)
        return self._store.add(key, f"image_{number}.{picture.suffix}", path, picture.media_type)
