"""The error envelope of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response

from wan_sandbox.messages import say


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request, and where: an entry of ``detail``."""

    loc: tuple[str | int, ...]
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def message(self, language: str) -> str:
        """Return the sentence for a person."""
        values = {name: value[language] if isinstance(value, Mapping) else value for name, value in self.values.items()}
        return say(self.kind, language, **values)

    def entry(self, language: str) -> dict[str, Any]:
        """Return the entry of ``detail``."""
        return {"loc": list(self.loc), "msg": self.message(language), "type": self.kind}


class Refused(Exception):
    """A call that is answered with the error envelope."""

    def __init__(
        self,
        code: int,
        key: str,
        *,
        problems: Sequence[Problem] = (),
        retry_after: int | None = None,
        **values: Any,
    ) -> None:
        super().__init__(key)
        self.code = code
        self.key = key
        self.problems = problems
        self.retry_after = retry_after
        self.values = values

    @classmethod
    def invalid(cls, problems: Sequence[Problem]) -> Refused:
        """Refuse a request whose fields are wrong."""
        return cls(422001, "invalid", problems=problems)

    def reply(self, language: str) -> Response:
        """Return the response; the HTTP status is the first three digits of the code."""
        values = dict(self.values)
        if self.problems:
            values["first"] = self.problems[0].message(language)
        body: dict[str, Any] = {
            "error_code": self.code,
            "error_message": say(self.key, language, **values),
        }
        if self.problems:
            body["detail"] = [problem.entry(language) for problem in self.problems]
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return JSONResponse(body, status_code=self.code // 1000, headers=headers)
