"""Whatever looks through a visitor's text takes time in proportion to its length."""

from __future__ import annotations

import json
import math
import random
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from studio.browser import store
from studio.prompt import references, settings_link
from studio.prompt.form import Form
from studio.public.upload_limits import _call_texts_fit
from wan_client import WanError, mentions
from wan_client.api import check_request_id
from wan_client.schema import PROMPT_MAX, check_negative_prompt, check_prompt
from wan_sandbox.preview.reader.reading import read
from wan_sandbox.queue.pictures import _DATA_URI

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

SHORT = PROMPT_MAX // 2
# A function that looks through a text in linear time takes twice as long for twice as much, and some for the weather;
# one that backtracks takes four times as long, or more.
RATIO_MAX = 3.2
# Below this, a time is noise.
SECONDS_MIN = 0.005
TRIES_MAX = 5
FRAGMENTS = (
    "1,", "1、", "１과", "image 1 and ", "image ", "1", " ", "\t ", "-", "1-", "#1", "&<", "\\", "%25", "://", "“", '"',
    "이미지 1과 ", "이미지 ", "1번", "사진", "고", "와 ", "가", "图1和", "图", "第一张", "漢", "画像1と", "画像", "１",
    "「", "『", "て", "あ", "don't ", "not ", "a", "e\u0301", "\U0001f469\u200d\U0001f467",
)  # fmt: skip


def _checked(check: Callable[[str], object]) -> Callable[[str], object]:
    """What a check does with a text, refused or not."""

    def checked(text: str) -> None:
        with suppress(WanError):
            check(text)

    return checked


# Everything that sees a visitor's text. What is written anew belongs in here.
READERS: dict[str, Callable[[str], object]] = {
    "check_prompt": _checked(check_prompt),
    "check_negative_prompt": _checked(check_negative_prompt),
    "check_request_id": _checked(check_request_id),
    "link": lambda text: settings_link.from_query({"prompt": text, "seed": text, "size": text}),
    "storage": lambda text: store.read(json.dumps({"runs": [text], "draft": text})),
    "notes": lambda text: store.storage_patch(opened=Form(text)),
    "mentions": mentions.mentions,
    "mismatch": lambda text: mentions.mismatch(text, 3),
    "names_any": mentions.names_any,
    "renumber": lambda text: mentions.renumber(text, {1: 2, 2: 1}),
    "language_of": mentions.language_of,
    "reference check": lambda text: references.check(text, [True, True, False]),
    "preview": lambda text: read(text, images=3, negative_prompt=text),
    "data_uri": lambda text: _DATA_URI.match(f"data:image/png;{text}"),
    "call": lambda text: _call_texts_fit(json.dumps({"data": [text]}).encode(), storage=False),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """How long a text is read for."""
    began = time.process_time()
    read(text)
    return time.process_time() - began


def is_linear(read: Callable[[str], object], short: str, long: str) -> bool:
    """Whether twice the text takes twice the time. What seems to take longer is timed again.

    The shortest of a few tries counts: what others do on this machine only ever adds to it.
    """
    slow = fast = math.inf
    for _ in range(TRIES_MAX):
        slow = min(slow, seconds(read, long))
        if slow < SECONDS_MIN:
            return True
        fast = min(fast, seconds(read, short), seconds(read, short))
        if slow < RATIO_MAX * fast + SECONDS_MIN:
            return True
    return False


def texts(length: int) -> list[str]:
    """Repeated fragments of every alphabet, alone and by twos."""
    choice = random.Random(26)
    pairs = ["".join(choice.sample(FRAGMENTS, 2)) for _ in range(20)]
    return [(fragment * length)[:length] for fragment in (*FRAGMENTS, *pairs)]


@pytest.mark.parametrize("name", READERS)
def test_twice_the_text_takes_twice_the_time(name: str) -> None:
    read = READERS[name]
    for short, long in zip(texts(SHORT), texts(2 * SHORT), strict=True):
        assert is_linear(read, short, long), short[:20]


def test_a_reader_that_is_not_linear_is_noticed() -> None:
    # Eight times as long for twice as much, which no busy machine makes look like twice.
    backtracks = re.compile("1+1+,")
    assert not is_linear(backtracks.search, "1" * 400, "1" * 800)
