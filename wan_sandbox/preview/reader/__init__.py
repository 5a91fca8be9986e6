"""Read an instruction, in English, Korean, Japanese or Chinese, into a plan.

`words/` holds what is understood, one file a language, where a phrase is added without Python. `lexer` cuts a prompt
into known phrases, `clauses` into requests, and `reading` makes operations of them. What is not understood for sure is
reported and never drawn.
"""

from wan_sandbox.preview.reader.reading import read

__all__ = ["read"]
