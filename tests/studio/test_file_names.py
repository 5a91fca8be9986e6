"""The names of results' files."""

from __future__ import annotations

import pytest

from studio.prompt.form import Form
from studio.runs.file_names import result_name


@pytest.mark.parametrize(
    ("picture", "prompt", "name"),
    [
        ("/x/cat.jpg", "Turn image 1 into a pencil sketch.", "cat-pencil-sketch-seed0"),
        ("/x/CON.png", "", "con-seed0"),
        (None, "../../etc/passwd", "etc-passwd-seed0"),
        ("/x/고양이.png", "이미지 1을 연필 스케치로", "고양이-을-연필-스케치로-seed0"),
        ("/x/cat-pencil-sketch-seed7.png", "make it blue", "cat-pencil-sketch-blue-seed0"),
        ("/x/" + "a" * 300 + ".png", "b " * 900, "a" * 32 + "-" + "-".join("b" * 16) + "-seed0"),
    ],
)
def test_a_name_is_made_of_the_picture_the_prompt_and_the_seed(picture: str | None, prompt: str, name: str) -> None:
    assert result_name(Form(prompt, picture), preview=False) == name


def test_a_preview_is_named_as_one_and_only_once() -> None:
    form = Form("make it blue", "/x/local-preview-cat-seed1.png", seed=3)
    assert result_name(form, preview=True) == "local-preview-cat-blue-seed3"
