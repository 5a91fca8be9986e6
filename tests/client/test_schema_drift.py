"""The catalogue's schema against ours, the model's id and who asks."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any

import pytest

from wan_client import __version__
from wan_client.schema_drift import differences

from .support import an_edit, answer, hurried, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Serve


async def sandbox_schema(serve: Serve, tmp_path: Path) -> dict[str, Any]:
    async with hurried(serve().url, tmp_path) as client:
        return copy.deepcopy(dict((await client.model()).input_schema))


async def test_the_sandbox_describes_the_model_as_we_know_it(serve: Serve, tmp_path: Path) -> None:
    assert differences(await sandbox_schema(serve, tmp_path)) == []


async def test_each_difference_is_said(serve: Serve, tmp_path: Path) -> None:
    schema = await sandbox_schema(serve, tmp_path)
    inputs = schema["properties"]
    inputs["prompt"]["validations"][1]["rule"] = "length< 1000"
    inputs["image_urls"]["items"]["validations"][1]["rule"] = "width_pixels>= 512"
    inputs["image_size"]["enum"].append("4096*4096 (1:1)")
    inputs["seed"] |= {"type": "number", "maximum": 10, "validations": []}
    inputs["prompt_extend"]["default"] = False
    inputs["watermark"] = {"type": "boolean"}
    del inputs["negative_prompt"]
    schema["required"].append("watermark")
    found = differences(schema)
    for part in (
        "no negative_prompt", "also 'watermark'", "required: ", "prompt: length at most 999, not 1999",
        "image_urls: width_pixels at least 512, not 385", "image_size: choices", "seed: type 'number'",
        "seed: value at most 10, not", "prompt_extend: default False, not True",
    ):  # fmt: skip
        assert any(line.startswith(part) for line in found), (part, found)
    assert len(found) == 9


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"properties": []}, {"properties": {"prompt": 5}}])
def test_no_schema_breaks_the_look(schema: dict[str, Any]) -> None:
    differences(schema)


async def test_a_difference_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entry = {"base_price_usd": 0.03, "input_schema": {"properties": {"prompt": {"type": "number"}}}}
    with scripted(model=[answer(entry)]) as server, caplog.at_level(logging.WARNING, "wan_client"):
        for _ in range(2):
            async with hurried(server.url, tmp_path) as client:
                await client.model()
                assert (await client.model()).price_usd == 0.03
    assert len([record for record in caplog.records if "prompt: type" in record.getMessage()]) == 1


async def test_requests_go_to_the_model_that_is_set_and_say_who_asks(tmp_path: Path) -> None:
    with scripted(edit=[answer({"request_id": "r1"})], result=[answer({"status": "failed"})]) as server:
        server.answers["status"] = [answer({"status": "completed"})]
        async with hurried(server.url, tmp_path, model="wan-ai/wan-2.7/edit") as client:
            with pytest.raises(Exception, match="r1"):
                await client.run(an_edit())
    assert server.seen[0][1] == "/v1/models/wan-ai/wan-2.7/edit"
    assert {headers["User-Agent"] for _, _, headers in server.seen} == {f"wan-client/{__version__}"}
