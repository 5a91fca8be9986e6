"""The pages that a person can read. They load nothing from anywhere and run no script."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from wan_sandbox.faults.switches import JOB_FAULTS, call_faults
from wan_sandbox.messages import say
from wan_sandbox.queue.jobs import now
from wan_sandbox.server import schema

if TYPE_CHECKING:
    from wan_sandbox.queue.jobs import Queue

ROWS_MAX: Final = 50
SHOWN_OF_ID: Final = 6

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def home(*, base_url: str, language: str, queue: Queue, accepted: int, any_token: bool) -> HTMLResponse:
    """Render the start page: how to try it, and the queue without anybody's prompt, picture or whole id."""
    moment = now()
    rows = [
        job and {"id": job.id[:SHOWN_OF_ID], "seconds": int((moment - job.created_at).total_seconds())}
        for job in queue.waiting(ROWS_MAX)
    ]
    return _page(
        "home",
        language,
        title=say("page_title", language),
        say=partial(say, language=language),
        base_url=base_url,
        model=schema.MODEL_ID,
        any_token=any_token,
        # A token that its owner chose is not shown.
        token="demo" if any_token else "$TOKEN",
        waiting=len(queue),
        running=queue.running,
        accepted=accepted,
        rows=rows,
        faults=[*JOB_FAULTS.items(), *call_faults()],
    )


def docs(description: dict[str, Any], language: str) -> HTMLResponse:
    """Render an OpenAPI description for reading."""
    layout = partial(json.dumps, indent=2, ensure_ascii=False)
    return _page("docs", language, title=description["info"]["title"], layout=layout, **description)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _page(template: str, language: str, **values: Any) -> HTMLResponse:
    text = _environment().get_template(f"{template}.html").render(language=language, **values)
    return HTMLResponse(text, headers=_HEADERS)
