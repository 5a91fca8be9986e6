"""What a picture from the preview must be."""

import json
from io import BytesIO

import numpy as np
from PIL import Image

from wan_sandbox.preview import render


def photo(width: int = 300, height: int = 200) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, (x + y) % 256]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def test_the_picture_has_the_size_and_says_what_it_is() -> None:
    preview = render([photo()], prompt="turn image 1 into a pencil sketch", size=(160, 240))
    picture = Image.open(BytesIO(preview.png))
    assert picture.size == (160, 240)
    assert picture.info["Title"] == "Local preview"
    assert json.loads(picture.info["Plan"]) == preview.plan.to_json()
