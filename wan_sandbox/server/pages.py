"""The pages that a person can read. They load nothing from anywhere and run no script."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse

from wan_sandbox.faults.switches import JOB_FAULTS, call_faults
from wan_sandbox.messages import say
from wan_sandbox.queue.jobs import now
from wan_sandbox.server import schema

if TYPE_CHECKING:
    from wan_sandbox.queue.jobs import Queue

MOST_ROWS: Final = 50
SHOWN_OF_ID: Final = 6

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--quiet:light-dark(#5b6270,#a3abb8);
--accent:light-dark(#4338ca,#a5b4fc)}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem;
color:light-dark(#1a1d24,#e8eaf0);background:light-dark(#fff,#14161b)}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}
h1+p{color:var(--quiet);max-width:46rem;margin-top:0}
a{color:var(--accent)}
pre,code{font:13.5px/1.5 ui-monospace,monospace}
pre{padding:1rem;overflow:auto;border:1px solid var(--line);border-radius:.6rem;background:var(--soft)}
td code,h2 code,p code{overflow-wrap:anywhere}h2 code{font-size:1.05rem;font-weight:600}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem 1rem .35rem 0;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--quiet)}
dl{display:flex;flex-wrap:wrap;gap:.75rem;margin:.5rem 0 1rem}
dl div{flex:1 1 8rem;padding:.6rem 1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--soft)}
dt{color:var(--quiet)}dd{margin:0;font-size:1.6rem;font-variant-numeric:tabular-nums}
summary{cursor:pointer;font-weight:600;margin-top:2rem}
"""
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_CURL: Final = """\
API={base_url}
MODEL={model}
AUTH="Authorization: Bearer {token}"

# 1. submit a picture of yours
printf '{{"prompt": "pencil sketch", "image_urls": ["data:image/jpeg;base64,%s"]}}' \\
  "$(base64 < cat.jpg | tr -d '\\n')" |
  curl -sS "$API/v1/models/$MODEL" -H "$AUTH" -H "Content-Type: application/json" -d @-

# 2. ask, with the request_id of the answer
ID=...
curl -sS "$API/v1/requests/$ID/status" -H "$AUTH"
curl -sS "$API/v1/requests/$ID/result?include_cost=true" -H "$AUTH"

# 3. cancel, as long as it waits
curl -sS -X POST "$API/v1/requests/$ID/cancel" -H "$AUTH"

# rehearse a failure: add this to the submit
-H "X-Sandbox-Fault: moderation-text" -H "X-Sandbox-Run-Time: 2"
"""
_CLIENTS: Final = """\
RUNCOMFY_API_BASE={base_url}
RUNCOMFY_MODEL_API_BASE={base_url}/v1   RUNCOMFY_TOKEN={token}
"""


# What stands for the token on the page. One that was chosen is for its owner to know.
_TOKENS: Final = {"page_any_token": "demo", "page_one_token": "$TOKEN"}


def home(*, base_url: str, language: str, queue: Queue, accepted: int, any_token: bool) -> HTMLResponse:
    """Say what this is and how to try it, and show the queue without anybody's prompt, picture or whole id."""

    def text(key: str, **values: Any) -> str:
        return escape(say(key, language, **values))

    moment = now()
    rows = []
    for position, job in enumerate(queue.waiting(MOST_ROWS), 1):
        shown, waited = text("page_somebody"), ""
        if job is not None:
            shown = job.id[:SHOWN_OF_ID] + "…"
            waited = text("page_seconds", seconds=int((moment - job.created_at).total_seconds()))
        rows.append((str(position), shown, waited))
    heads = (text("page_place"), text("page_request"), text("page_waited"))
    faults = [(f"<code>{escape(name)}</code>", escape(what)) for name, what in JOB_FAULTS.items()]
    faults += [(f"<code>{escape(name)}</code>", escape(what)) for name, what in call_faults()]
    wants = "page_any_token" if any_token else "page_one_token"
    curl = _CURL.format(base_url=base_url, model=schema.MODEL_ID, token=_TOKENS[wants])
    clients = _CLIENTS.format(base_url=base_url, token=_TOKENS[wants])
    state = {"page_waiting": len(queue), "page_running": queue.running, "page_accepted": accepted}
    tiles = "".join(f"<div><dt>{text(key)}</dt><dd>{number}</dd></div>" for key, number in state.items())
    return _page(
        say("page_title", language),
        f"<p>{text('page_intro')} {text(wants)}</p>"
        f"<h2>{text('page_queue')}</h2><dl>{tiles}</dl>"
        + (_table(rows, heads) if rows else f"<p>{text('page_empty')}</p>")
        + f"<h2>{text('page_try')}</h2><pre>{escape(curl)}</pre>"
        + f"<h2>{text('page_clients')}</h2><pre>{escape(clients)}</pre>"
        f"<p>{text('page_clients_hint')}</p>"
        f'<p><a href="/docs">{text("page_docs")}</a> · <a href="/openapi.json">openapi.json</a></p>'
        f"<details><summary>{text('page_faults')}</summary><p>{text('page_faults_hint')}</p>"
        f"{_table(faults)}</details>",
        language,
    )


def docs(description: dict[str, Any], language: str) -> HTMLResponse:
    """Lay out an OpenAPI description for reading."""
    parts = [f"<p>{escape(description['info']['description'])}</p>"]
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(call['summary'])}</p>")
            rows = [
                (f"<code>{escape(entry['name'])}</code>", entry["in"], escape(entry.get("description", "")))
                for entry in call["parameters"]
            ]
            if "requestBody" in call:
                rows.append((_link(call["requestBody"]["content"]), "body", ""))
            rows += [
                (_link(reply["content"]), status, escape(reply["description"]))
                for status, reply in call["responses"].items()
            ]
            parts.append(_table(rows))
    for name, entry in description["components"]["schemas"].items():
        layout = json.dumps(entry, indent=2, ensure_ascii=False)
        parts.append(f'<h2 id="{escape(name)}">{escape(name)}</h2><pre>{escape(layout)}</pre>')
    return _page(description["info"]["title"], "".join(parts), language)


def _link(content: dict[str, Any]) -> str:
    name = escape(content["application/json"]["schema"]["$ref"].rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>'


def _table(rows: list[Any], heads: tuple[str, ...] = ()) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _page(title: str, body: str, language: str) -> HTMLResponse:
    return HTMLResponse(
        f'<!DOCTYPE html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><body><h1>{escape(title)}</h1>{body}</body></html>",
        headers=_HEADERS,
    )
