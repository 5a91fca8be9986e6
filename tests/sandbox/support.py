"""What the sandbox's tests share: pictures to send, and a plain caller of the API."""

import base64
import struct
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any, TypeVar

import httpx
from PIL import Image

from wan_sandbox import Sandbox

MODEL = "/v1/models/wan-ai/wan-2-6/image-to-image"
TOKEN = "demo-token-5f1c"
DEADLINE = 120.0

T = TypeVar("T")


@cache
def picture(width: int = 400, height: int = 400, kind: str = "PNG", mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (width, height), 90).save(buffer, kind)
    return buffer.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A small file whose header says that it is a picture of another size."""
    small, header = picture(), struct.pack(">II", width, height) + picture()[24:29]
    return small[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + small[33:]


def data_uri(data: bytes | None = None, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data or picture()).decode()}"


def body(**changes: Any) -> dict[str, Any]:
    return {"prompt": "pencil sketch", "image_urls": [data_uri()]} | changes


def until(ask: Callable[[], T | None], seconds: float = DEADLINE) -> T:
    """Ask until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def took(result: dict[str, Any]) -> float:
    """Return the seconds from a job's acceptance to its end, by the sandbox's own clock."""
    ended, began = (
        datetime.fromisoformat(result[name].replace("Z", "+00:00")) for name in ("finished_at", "created_at")
    )
    return (ended - began) / timedelta(seconds=1)


class Caller:
    """Calls one sandbox as a client without any cleverness would."""

    def __init__(self, sandbox: Sandbox, token: str = TOKEN) -> None:
        self.sandbox = sandbox
        # There is no TLS on loopback, and its certificates take long to load.
        self.http = httpx.Client(
            base_url=sandbox.url,
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
            verify=False,
        )

    def fetch(self, url: str, timeout: float = 60) -> httpx.Response:
        """Get a file, without the token."""
        return self.http.send(httpx.Request("GET", url, extensions={"timeout": httpx.Timeout(timeout).as_dict()}))

    def submit(self, fault: str = "", run_time: float | None = None, **changes: Any) -> httpx.Response:
        headers = {"x-sandbox-fault": fault} if fault else {}
        if run_time is not None:
            headers["x-sandbox-run-time"] = str(run_time)
        return self.http.post(MODEL, json=body(**changes), headers=headers)

    def accepted(self, fault: str = "", run_time: float | None = None, **changes: Any) -> str:
        reply = self.submit(fault, run_time, **changes)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["request_id"])

    def status(self, request_id: str) -> httpx.Response:
        return self.http.get(f"/v1/requests/{request_id}/status")

    def result(self, request_id: str, **query: str) -> httpx.Response:
        return self.http.get(f"/v1/requests/{request_id}/result", params=query)

    def cancel(self, request_id: str) -> httpx.Response:
        return self.http.post(f"/v1/requests/{request_id}/cancel")

    def word(self, request_id: str) -> str:
        return str(self.status(request_id).json()["status"])

    def ended(self, request_id: str) -> dict[str, Any]:
        """Wait for the end and return the result."""

        def end() -> dict[str, Any] | None:
            reply: dict[str, Any] = self.result(request_id).json()
            return reply if reply.get("finished_at") else None

        return until(end)
