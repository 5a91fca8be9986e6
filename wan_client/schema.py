"""The model's input schema: one edit request, and the one home of every limit.

All numbers come from the vendor's page for ``wan-ai/wan-2-6/image-to-image``. The vendor's validator reads its
pixel rules (``width_pixels> 384``, ``< 5000``) strictly, hence 385 and 4999.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from .errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from PIL.Image import Image

MODEL_ID = "wan-ai/wan-2-6/image-to-image"

PROMPT_MAX = 1999
NEGATIVE_PROMPT_MAX = 500
IMAGES_MIN, IMAGES_MAX = 1, 3
# Of any text as it is given: normalising very many combining marks would take minutes.
CODE_POINTS_MAX = 16_000
SEED_MIN, SEED_MAX = 0, 2_147_483_647
SIDE_MIN, SIDE_MAX = 385, 4999
IMAGE_BYTES_MAX = 9_999_999

DEFAULT_NEGATIVE_PROMPT = "low resolution, error, worst quality, low quality, deformed, extra fingers"
DEFAULT_SEED = 0
DEFAULT_PROMPT_EXTEND = True

ImageSource: TypeAlias = "str | PathLike[str] | bytes | Image"
"""A picture as people have it: a path, an ``https`` or ``data`` URI, a file's bytes, or a PIL image."""


class ImageSize(str, Enum):
    """The eight sizes of a result. Each value is the string that the API takes, label included."""

    SQUARE = "1024*1024 (1:1)"
    PORTRAIT_2_3 = "800*1200 (2:3)"
    LANDSCAPE_3_2 = "1200*800 (3:2)"
    PORTRAIT_3_4 = "960*1280 (3:4)"
    LANDSCAPE_4_3 = "1280*960 (4:3)"
    PORTRAIT_9_16 = "720*1280 (9:16)"
    LANDSCAPE_16_9 = "1280*720 (16:9)"
    WIDE_21_9 = "1344*576 (21:9)"

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.value.split(" ")[0].split("*")
        return int(width), int(height)

    @property
    def ratio(self) -> str:
        """The ratio as people say it, such as ``16:9``."""
        return self.value[self.value.index("(") + 1 : -1]

    @classmethod
    def parse(cls, text: str | ImageSize) -> ImageSize:
        """Read a size from ``16:9``, ``1280*720``, ``1280x720``, ``1280×720`` or the API's own string.

        Raises:
            InvalidRequest: The text names none of the eight sizes.
        """
        wanted = "".join(str(getattr(text, "value", text)).lower().split()).replace("x", "*").replace("×", "*")
        for size in cls:
            whole = size.value.replace(" ", "")
            if wanted in {whole, whole.split("(")[0], size.ratio}:
                return size
        choices = ", ".join(size.ratio for size in cls)
        raise InvalidRequest("image_size_unknown", field="image_size", given=_shown(text), choices=choices)


DEFAULT_IMAGE_SIZE = ImageSize.SQUARE


def tidy(text: str) -> str:
    """Return the text as it is counted and sent: composed (NFC), one kind of line break, no blanks around it.

    Text typed on a Mac may hold a Hangul syllable as two or three code points; composed, it is the one character
    that the person sees.
    """
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def count_characters(text: str) -> int:
    """Return how many characters the text has as JSON Schema counts them: code points, once it is tidied."""
    return len(tidy(text)) if len(text) <= CODE_POINTS_MAX else len(text)


@dataclass(frozen=True)
class EditRequest:
    """One edit, validated: what to change, in which pictures, in which frame.

    Attributes:
        prompt: The instruction, 1 to 1999 characters. It calls the pictures "image 1", "image 2", "image 3".
        images: One to three pictures. Their order is the order of those names.
        negative_prompt: What to keep out of the result, at most 500 characters. May be empty.
        image_size: The frame of the result.
        seed: 0 to 2147483647. The same seed gives more consistent results.
        prompt_extend: "Magic prompt": the model may enrich the prompt before it draws.

    Raises:
        InvalidRequest: A value is outside its limits. The message says which, and what to do.
    """

    prompt: str
    images: Sequence[ImageSource]
    negative_prompt: str = DEFAULT_NEGATIVE_PROMPT
    image_size: ImageSize = DEFAULT_IMAGE_SIZE
    seed: int = DEFAULT_SEED
    prompt_extend: bool = DEFAULT_PROMPT_EXTEND

    def __post_init__(self) -> None:
        images = tuple(self.images) if isinstance(self.images, list | tuple) else (self.images,)
        for field, value in (
            ("prompt", check_prompt(self.prompt)),
            ("images", images),
            ("negative_prompt", check_negative_prompt(self.negative_prompt)),
            ("image_size", ImageSize.parse(self.image_size)),
            ("seed", check_seed(self.seed)),
            ("prompt_extend", check_switch(self.prompt_extend, "prompt_extend")),
        ):
            object.__setattr__(self, field, value)
        if not IMAGES_MIN <= len(images) <= IMAGES_MAX:
            code = "images_missing" if len(images) < IMAGES_MIN else "images_too_many"
            raise InvalidRequest(code, field="images", given=len(images), limit=IMAGES_MAX)

    def body(self, image_urls: Sequence[str]) -> dict[str, Any]:
        """Return the JSON body of a submit, with the pictures as the API can fetch them."""
        return {
            "prompt": self.prompt,
            "image_urls": list(image_urls),
            "negative_prompt": self.negative_prompt,
            "image_size": self.image_size.value,
            "seed": self.seed,
            "prompt_extend": self.prompt_extend,
        }


def check_prompt(prompt: str) -> str:
    """Return the prompt as it will be sent.

    Raises:
        InvalidRequest: It is empty or too long.
    """
    text = tidy(_text(prompt, "prompt", PROMPT_MAX))
    if not text:
        raise InvalidRequest("prompt_missing", field="prompt")
    if (given := count_characters(text)) > PROMPT_MAX:
        raise InvalidRequest("prompt_too_long", field="prompt", given=given, limit=PROMPT_MAX)
    return text


def check_negative_prompt(negative_prompt: str) -> str:
    """Return the negative prompt as it will be sent.

    Raises:
        InvalidRequest: It is too long.
    """
    text = tidy(_text(negative_prompt, "negative_prompt", NEGATIVE_PROMPT_MAX))
    if (given := count_characters(text)) > NEGATIVE_PROMPT_MAX:
        raise InvalidRequest(
            "negative_prompt_too_long", field="negative_prompt", given=given, limit=NEGATIVE_PROMPT_MAX
        )
    return text


def check_seed(seed: float) -> int:
    """Return the seed as a whole number.

    Raises:
        InvalidRequest: It is no whole number, or out of range.
    """
    whole = isinstance(seed, int) or (isinstance(seed, float) and seed.is_integer())
    if isinstance(seed, bool) or not whole or not SEED_MIN <= seed <= SEED_MAX:
        raise InvalidRequest("seed_out_of_range", field="seed", given=_shown(seed), low=SEED_MIN, high=SEED_MAX)
    return int(seed)


def check_switch(value: object, field: str) -> bool:
    """Return the value of a switch.

    Raises:
        InvalidRequest: It is neither true nor false.
    """
    if not isinstance(value, bool):
        raise InvalidRequest("switch_expected", field=field, given=_shown(value))
    return value


def _shown(number: object) -> str:
    try:
        return str(number)[:40]
    except ValueError:  # a number of thousands of digits
        return "…"


def _text(value: object, field: str, limit: int) -> str:
    if not isinstance(value, str):
        raise InvalidRequest("text_expected", field=field, given=type(value).__name__)
    if len(value) > CODE_POINTS_MAX:
        raise InvalidRequest(f"{field}_too_long", field=field, given=len(value), limit=limit)
    if any("\ud800" <= char <= "\udfff" for char in value):
        # A lone surrogate, as a shell passes on bytes that are no text, can't be encoded.
        raise InvalidRequest("text_broken", field=field)
    return value
