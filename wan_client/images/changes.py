"""What was done to a picture on its way to the model."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a page notes changes down by this annotation
from dataclasses import dataclass, field

from wan_client.messages import MESSAGES


@dataclass(frozen=True)
class Change:
    """One change made to a picture. ``str()`` gives the English words; a page translates by `code`."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return MESSAGES[f"change.{self.code}"].format(**self.values)


def sizes(before: tuple[int, int], after: tuple[int, int]) -> dict[str, object]:
    """Return the values of a change from one size to another."""
    return {"before": "{} × {}".format(*before), "after": "{} × {}".format(*after)}
