"""The OpenAPI description of what the sandbox serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wan_sandbox.server import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_URL: Final = {"type": "string", "format": "uri"}
_TIME: Final = {"type": "string", "format": "date-time"}
_STATES: Final = ("in_queue", "in_progress", "completed", "cancelled")
_OUTCOMES: Final = ("in_queue", "in_progress", "succeeded", "failed", "cancelled")
# JSON Schema's word for each rule of the page that it can express.
_KEYWORDS: Final[Mapping[tuple[str, str], tuple[str, int]]] = {
    ("length", ">"): ("minLength", 1),
    ("length", "<"): ("maxLength", -1),
    ("length", "<="): ("maxLength", 0),
    ("item_count", ">="): ("minItems", 0),
    ("item_count", "<="): ("maxItems", 0),
    ("value", ">="): ("minimum", 0),
    ("value", "<="): ("maximum", 0),
}


def describe(base_url: str, language: str) -> dict[str, Any]:
    """Return the description, with this server's address and the texts of the model in one language."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wan sandbox",
            "version": "1",
            "description": "The Model API on loopback: asynchronous, free, with a local preview for a model.",
        },
        "servers": [{"url": base_url}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(language),
        },
    }


def _paths() -> dict[str, Any]:
    model = f"/v1/models/{schema.MODEL_ID}"
    request_id = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
    cost = {
        "name": "include_cost",
        "in": "query",
        "description": "Adds cost in US dollars; the sandbox's is 0 unless a price is rehearsed.",
        "schema": {"type": "boolean", "default": False},
    }
    page = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (("search", "string"), ("category", "string"), ("limit", "integer"), ("offset", "integer"))
    ]
    fault = {
        "name": "X-Sandbox-Fault",
        "in": "header",
        "description": "What goes wrong with this job, as NAME[*count][:rate][@after], separated by commas.",
        "schema": {"type": "string"},
    }
    run_time = {
        "name": "X-Sandbox-Run-Time",
        "in": "header",
        "description": "Seconds that this job runs.",
        "schema": {"type": "number", "minimum": 0},
    }
    submit = _call("Submit a job", 200, "Submitted", [fault, run_time])
    submit["requestBody"] = {"required": True, "content": _json("Input")}
    return {
        "/v1/models": {"get": _call("List the catalogue", 200, "Catalogue", page)},
        "/v1/models/categories": {"get": _call("List the categories of the catalogue", 200, "Categories")},
        model: {"post": submit, "get": _call("Describe the model", 200, "Model")},
        "/v1/requests/{request_id}/status": {"get": _call("Ask for the state", 200, "Status", [request_id])},
        "/v1/requests/{request_id}/result": {"get": _call("Ask for the outcome", 200, "Result", [request_id, cost])},
        "/v1/requests/{request_id}/cancel": {
            "post": _call("Take the job out of the queue", 202, "Cancelled", [request_id])
        },
    }


def _call(summary: str, status: int, reply: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            str(status): {"description": summary, "content": _json(reply)},
            "default": {"description": "An error", "content": _json("Error")},
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _schemas(language: str) -> dict[str, Any]:
    text, count = {"type": "string"}, {"type": "integer"}
    model = _object(
        "model_id display_name categories base_price_usd price_unit pricing_note input_schema",
        model_id=text,
        display_name=text,
        categories={"type": "array", "items": text},
        base_price_usd={"type": "number"},
        price_unit={"enum": ["output", "image", "second"]},
        pricing_note=text,
        input_schema={"type": "object"},
    )
    return {
        "Input": _input(language),
        "Submitted": _object(
            "request_id status_url result_url cancel_url",
            request_id=text,
            status_url=_URL,
            result_url=_URL,
            cancel_url=_URL,
        ),
        "Status": _object(
            "request_id status status_url result_url",
            request_id=text,
            status={"enum": list(_STATES), "description": "completed means ended, not succeeded"},
            queue_position={"type": "integer", "minimum": 1, "description": "1 is the next in line"},
            status_url=_URL,
            result_url=_URL,
        ),
        "Result": _object(
            "request_id status created_at finished_at input",
            request_id=text,
            status={"enum": list(_OUTCOMES)},
            created_at=_TIME,
            finished_at={"type": ["string", "null"], "format": "date-time"},
            input={"type": "object"},
            output=_object("image", image=_URL),
            error={"type": ["string", "object"]},
            cost={"type": "number"},
            local_preview={"type": "object", "description": "what the preview understood"},
        ),
        "Cancelled": _object(
            "request_id status outcome",
            request_id=text,
            status={"enum": list(_STATES)},
            outcome={"enum": ["cancelled", "not_cancellable"]},
        ),
        "Model": model,
        "Catalogue": _object(
            "models total limit offset",
            models={"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
            total=count,
            limit=count,
            offset=count,
        ),
        "Categories": _object("categories", categories={"type": "array", "items": text}),
        "Error": _object(
            "error_code error_message",
            error_code={"type": "integer"},
            error_message=text,
            detail={
                "type": "array",
                "items": _object("loc msg type", loc={"type": "array"}, msg=text, type=text),
            },
        ),
    }


def _input(language: str) -> dict[str, Any]:
    page = schema.input_schema(language)
    properties = {}
    for name in schema.field_names():
        field = {key: value for key, value in page["properties"][name].items() if key != "validations"}
        if "items" in field:
            rules = ", ".join(rule.text for rule in schema.rules(name, of_items=True))
            field["items"] = {"type": "string", "description": f"An https URL or a data URI. {rules}"}
        for rule in schema.rules(name):
            keyword, offset = _KEYWORDS[rule.measure, rule.sign]
            field[keyword] = rule.limit + offset
        properties[name] = field
    return {"type": "object", "required": sorted(schema.required()), "properties": properties}
