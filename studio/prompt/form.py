"""What a visitor entered, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.uploads import check_upload
from wan_client import EditRequest, ImageSize, InvalidRequest
from wan_client.schema import DEFAULT_NEGATIVE_PROMPT, DEFAULT_PROMPT_EXTEND, DEFAULT_SEED, SEED_MAX

VARIATIONS_MAX = 4
# The page's own paths are far shorter; a longer text is no path.
PATH_MAX = 1000
# A slot's value while the browser uploads its picture. It is no file's path, so nothing is sent before the upload ends.
PENDING = "pending"


def how_many(variations: object) -> int:
    """Return the number of variations asked for; 1 if it is none that the page offers."""
    return int(variations) if variations in range(1, VARIATIONS_MAX + 1) else 1  # type: ignore[call-overload]


@dataclass(frozen=True)
class Form:
    """The page's inputs. Pictures are paths of uploaded files; an empty slot is None."""

    prompt: str = ""
    image_1: str | None = None
    image_2: str | None = None
    image_3: str | None = None
    negative_prompt: str = DEFAULT_NEGATIVE_PROMPT
    image_size: str = ImageSize.SQUARE.value
    seed: float | None = DEFAULT_SEED
    prompt_extend: bool = DEFAULT_PROMPT_EXTEND

    @property
    def slots(self) -> tuple[str | None, str | None, str | None]:
        """The three slots in their order."""
        return self.image_1, self.image_2, self.image_3

    def request(self) -> EditRequest:
        """Return the request of this form.

        Raises:
            InvalidRequest: A value is outside its limits, or an empty slot stands before a filled one: skipping
                it would change which picture the prompt's numbers mean.
        """
        images = [check_upload(path, number=number) for number, path in enumerate(self.slots, 1) if path]
        if not all(self.slots[: len(images)]):
            empty = next(number for number, path in enumerate(self.slots, 1) if not path)
            filled = next(number for number, path in enumerate(self.slots, 1) if path and number > empty)
            raise InvalidRequest("images_gap", field="images", empty=empty, filled=filled)
        return EditRequest(
            prompt=self.prompt,
            images=images,
            negative_prompt=self.negative_prompt,
            image_size=ImageSize.parse(self.image_size),
            seed=DEFAULT_SEED if self.seed is None else self.seed,  # type: ignore[arg-type]  # checked there
            prompt_extend=self.prompt_extend,
        )

    def variations(self, count: int) -> tuple[Form, ...]:
        """Return the form, checked, with as many seeds: its own and those after it.

        Raises:
            InvalidRequest: The form can't be sent.
        """
        first = self.request().seed
        return tuple(replace(self, seed=(first + step) % (SEED_MAX + 1)) for step in range(count))
