"""Each starter is a prompt that can be sent, once its brackets are filled."""

from __future__ import annotations

import pytest

from studio.i18n.texts import Texts, translations
from studio.prompt.references import check, language_of, mentions
from studio.prompt.starters import Starter, load
from wan_client.schema import IMAGES_MAX, PROMPT_MAX

STARTERS = load()


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
def test_it_names_each_of_its_pictures_and_no_other(starter: Starter) -> None:
    assert {mention.number for mention in mentions(starter.prompt)} == set(range(1, starter.images + 1))
    assert check(starter.prompt, [number < starter.images for number in range(IMAGES_MAX)]) == ()


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
def test_it_is_english_and_leaves_room(starter: Starter) -> None:
    assert language_of(starter.prompt) == "en"
    assert len(starter.prompt) < PROMPT_MAX / 2
    assert starter.prompt.count("[") == starter.prompt.count("]")


@pytest.mark.parametrize("language", sorted(translations()))
def test_it_has_a_label_in_every_language(language: str) -> None:
    labels = [Texts(language)(f"starter.{starter.name}") for starter in STARTERS]
    assert len(set(labels)) == len(labels) == len({starter.name for starter in STARTERS})
