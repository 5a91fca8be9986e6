"""The clients that are compared, each as one coroutine: a job of so many seconds → its id, with the picture in hand."""

from __future__ import annotations

import asyncio
import base64
import math
import random
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import httpx
from PIL import Image

from wan_client import AsyncWanClient, Backend, EditRequest, Settings
from wan_client.state.polling import PollSchedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Edit: TypeAlias = Callable[[float], Awaitable[str]]

MODEL = "wan-ai/wan-2-6/image-to-image"


def spread(number: int, seed: int, scale: float) -> list[float]:
    """Return job lengths between 20 s and 4 min with a median of 80 s, divided by a scale."""
    chance, found = random.Random(seed), list[float]()
    while len(found) < number:
        seconds = chance.lognormvariate(math.log(80), 0.55)
        if 20 <= seconds <= 240:
            found.append(seconds / scale)
    return found


@cache
def picture() -> bytes:
    """Return the picture that every client sends."""
    buffer = BytesIO()
    Image.new("RGB", (400, 400), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@asynccontextmanager
async def ours(
    url: str, past: Sequence[float], price: float, learned: Callable[[float], None] = lambda seconds: None
) -> AsyncIterator[Edit]:
    """Run jobs by this client, with the durations that it has learned and its price of a request."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        schedule = PollSchedule(
            seed=1, price=price, recall=lambda size: past, keep=lambda size, seconds: learned(seconds)
        )
        settings = Settings(Backend.RUNCOMFY, url, "token")
        client = await stack.enter_async_context(AsyncWanClient(settings, folder=folder, schedule=schedule))

        async def edit(seconds: float) -> str:
            return (await client.run(EditRequest(str(seconds), [picture()]))).request_id

        yield edit


@asynccontextmanager
async def fal(url: str) -> AsyncIterator[Edit]:
    """Run jobs by fal's own client, as it comes."""
    import fal_client.client  # noqa: PLC0415  # who measures ours alone need not install it

    fal_client.client.QUEUE_URL_FORMAT = f"{url}/"
    client = fal_client.AsyncClient(key="token")
    async with httpx.AsyncClient() as downloads:

        async def edit(seconds: float) -> str:
            ids: list[str] = []
            inputs = {"prompt": str(seconds), "image_urls": [_data_uri()]}
            result = await client.subscribe("bench/edit", inputs, on_enqueue=ids.append)
            (await downloads.get(result["images"][0]["url"])).raise_for_status()
            return ids[0]

        yield edit


@asynccontextmanager
async def replicate(url: str) -> AsyncIterator[Edit]:
    """Run jobs by Replicate's own client, as it comes."""
    from replicate.client import Client as ReplicateClient  # noqa: PLC0415  # as above

    client = ReplicateClient(api_token="token", base_url=url)
    async with httpx.AsyncClient() as downloads:

        async def edit(seconds: float) -> str:
            inputs = {"prompt": str(seconds), "image_urls": [_data_uri()]}
            prediction = await client.models.predictions.async_create("bench/edit", inputs)
            await prediction.async_wait()
            (await downloads.get(str(prediction.output))).raise_for_status()
            return str(prediction.id)

        yield edit


@asynccontextmanager
async def naive(url: str, interval: float) -> AsyncIterator[Edit]:
    """Run jobs by a hand-written loop that asks for the status at a fixed interval."""
    async with httpx.AsyncClient(base_url=url) as client:

        async def edit(seconds: float) -> str:
            body = {"prompt": str(seconds), "image_urls": [_data_uri()]}
            job = (await client.post(f"/v1/models/{MODEL}", json=body)).json()["request_id"]
            while (await client.get(f"/v1/requests/{job}/status")).json()["status"] != "completed":  # noqa: ASYNC110
                await asyncio.sleep(interval)
            result = (await client.get(f"/v1/requests/{job}/result")).json()
            (await client.get(result["output"]["image"])).raise_for_status()
            return str(job)

        yield edit


def _data_uri() -> str:
    return f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
