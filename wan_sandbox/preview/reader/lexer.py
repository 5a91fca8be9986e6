"""Cut a prompt into known phrases, pictures and unknown words, from left to right, the longest phrase first.

The phrases are in `words/`, one file a language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from wan_client.mentions import all_pictures, mentions
from wan_sandbox.preview.plan import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_UNSPACED = re.compile("[ぁ-ゖァ-ヺー々一-鿿㐀-䶿]")
_KATAKANA, _HANGUL = re.compile("[ァ-ヺー]"), re.compile("[가-힣]")
_HANGUL_RUN, _LETTERS = re.compile("[가-힣]{0,40}"), re.compile("[a-z0-9]{0,40}")
_SPACE = re.compile(r"[\s/-]{0,3}")
_LETTER = r"[^\W_가-힣ぁ-ヺー々一-鿿㐀-䶿]"
_WORD = re.compile(rf"[가-힣]{{1,60}}|{_LETTER}{{1,60}}(?:['-]{_LETTER}{{1,60}}){{0,5}}")
_WEIGHTY = {*OPERATIONS, "colour", "part", "please"}
_PATTERNS = (
    ("word", re.compile(r'"[^"\n\0]{0,200}"|「[^」\0]{0,200}」|『[^』\0]{0,200}』')),
    ("small", re.compile(r"\d{1,3}\s?(?:%|percent|퍼센트|프로|パーセント)|百分之[0-9一二三四五六七八九十]{1,3}")),
    ("stop", re.compile(r"[.;!?\n…。]|(?<=\s)[-–—](?=\s)")),
    ("comma", re.compile(r"[,、，]")),
    # ㅋㅋ, ㅠㅠ: single letters are a tone of voice.
    ("please", re.compile("[ㄱ-ㅎㅏ-ㅣ]")),
)


class Row(NamedTuple):
    """What the phrases under one heading mean.

    `kind` is the heading, the name of an operation or a class of words. `roles` say how the picture that something is
    taken from is introduced, the surest way first.
    """

    kind: str
    parameters: Mapping[str, object] = {}
    roles: tuple[str, ...] = ()


class _Phrase(NamedTuple):
    """A known phrase: its words, whether it may have any ending, and what it means."""

    words: tuple[str, ...]
    any_ending: bool
    row: Row

    @classmethod
    def of(cls, written: str, row: Row) -> _Phrase:
        """Read a phrase as the lists have it, where a ``~`` stands for any ending."""
        return cls(tuple(written.rstrip("~").split()), written.endswith("~"), row)


@dataclass(frozen=True)
class Token:
    """A stretch of the prompt and what it means.

    `images` are the pictures it names, none where it means all of them. `role` says how they are introduced: object,
    of, like, with, to or bare.
    """

    row: Row
    start: int
    end: int
    images: tuple[int, ...] = ()
    role: str = "bare"

    @property
    def kind(self) -> str:
        """The sort of words that these are."""
        return self.row.kind


def tokens(text: str) -> list[Token]:
    """Cut a text into tokens; what is none of the known phrases is a word."""
    pictures = {start: Token(Row("image"), start, end) for start, end in all_pictures(text)}
    for mention in mentions(text):
        start, end = mention.words
        numbers = pictures[start].images if start in pictures else ()
        pictures[start] = Token(Row("image"), start, end, (*numbers, mention.number))
    masked = list(_fold(text))
    for picture in pictures.values():
        # No phrase reaches into a picture's name: "mirror image 2" is about image 2.
        masked[picture.start : picture.end] = "\0" * (picture.end - picture.start)
    plain = "".join(masked)
    found: list[Token] = []
    at = 0
    while at < len(plain):
        token = _introduced(pictures[at], plain, found) if at in pictures else _token(plain, at)
        if token and found and _is_one_word(found[-1], token, plain):
            found[-1] = Token(Row("word"), found[-1].start, token.end)
        elif token:
            found.append(token)
        at = token.end if token else at + 1
    return found


def sections(language: str) -> Iterator[tuple[Row, list[str]]]:
    """Return what each heading of a language's file means, with the phrases under it."""
    text = (files(__package__) / "words" / f"{language}.txt").read_text(encoding="utf-8")
    for section in re.sub("(?m)^#.*", "", text).split("[")[1:]:
        heading, _, phrases = section.partition("]")
        name, *options = heading.split()
        settings = dict(option.split("=") for option in options if "=" in option)
        roles = tuple(option for option in options if "=" not in option)
        parameters = {name: True if value == "yes" else value for name, value in settings.items()}
        row = Row(name, parameters, roles) if name in OPERATIONS or settings else Row(heading)
        yield row, [" ".join(phrase.split()) for phrase in phrases.split(",")]


def _token(text: str, at: int) -> Token | None:
    for kind, pattern in _PATTERNS:
        if match := pattern.match(text, at):
            return Token(Row(kind), at, match.end())
    if known := _known(text, at):
        return Token(known[0], at, known[1])
    unknown = _UNSPACED.match(text, at) or _WORD.match(text, at)
    return Token(Row("word"), at, unknown.end()) if unknown else None


def _introduced(picture: Token, text: str, before: Sequence[Token]) -> Token:
    """Add to a picture what stands right after it (의, を, 's), or before it, and says how it is used."""
    end = picture.end + (text[picture.end : picture.end + 1] in {'"', "」", "』", ")", "]", ">"})
    if after := _ROLE.match(text, end):
        return replace(picture, role=_ROLES[(after.lastindex or 1) - 1][1], end=after.end())
    last = next((token.kind for token in reversed(before[-3:]) if token.kind != "the"), "")
    last = {"using": "with"}.get(last, last)
    return replace(picture, role=last if last in {"of", "like", "with", "object", "let", "to"} else "bare", end=end)


def _is_one_word(last: Token, token: Token, text: str) -> bool:
    """Return whether an unknown word goes on, or swallows a single character that touches it: 初雪, 雪乃."""
    if last.end != token.start or not (_UNSPACED.match(text, token.start) and _UNSPACED.match(text, last.end - 1)):
        return False
    others = [one for one in (last, token) if one.kind != "word"]
    single = all(one.kind in _WEIGHTY and one.end - one.start == 1 for one in others)
    return len(others) < 2 and single


def _fold(text: str) -> str:
    """Write a text as the phrases are compared, character for character: narrow, lower case, simplified."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text.translate(_FOLDED))


def _known(text: str, at: int) -> tuple[Row, int] | None:
    """Return the meaning and the end of the longest phrase that stands here in a folded text."""
    for phrase in _PHRASES.get(text[at], ()):
        if text.startswith(phrase.words[0], at) and (end := _end(phrase, text, at)):
            return phrase.row, end
    return None


def _end(phrase: _Phrase, text: str, at: int) -> int:
    words, any_ending, row = phrase
    for number, word in enumerate(words):
        if number and (space := _SPACE.match(text, at)):
            at = space.end()
        if not text.startswith(word, at):
            return 0
        at += len(word)
    last = words[-1][-1]
    if _UNSPACED.match(last):
        ending = (_INFLECTION if any_ending else _SUFFIX).match(text, at)
        end = ending.end() if ending else at
        # 水彩 + 风格, not 水彩风 + 格.
        others = [] if any_ending or end == at else [" ".join(other.words) for other in _PHRASES.get(text[at], ())]
        if any(len(other) > end - at and text.startswith(other, at) for other in others):
            end = at
        return 0 if _KATAKANA.match(text, end - 1) and _KATAKANA.match(text, end) else end
    run = (_HANGUL_RUN if _HANGUL.match(last) else _LETTERS).match(text, at)
    rest = run.end() if run else at
    if any_ending or rest == at:
        return rest
    # A particle by itself takes no other: 가을 is autumn, not 가 and 을.
    takes_ending = _HANGUL.match(last) and (len(words[0]) > 1 or row.kind in OPERATIONS)
    tail = _TAIL.match(text, at) if takes_ending else None
    return tail.end() if tail else 0


_SECTIONS = [section for language in ("en", "ko", "ja", "zh") for section in sections(language)]
# An operation goes before a word that is spelt like it, in whichever language.
_SECTIONS.sort(key=lambda section: section[0].kind not in OPERATIONS)
_GRAMMAR: dict[str, list[str]] = {}
for _row, _listed in _SECTIONS:
    _GRAMMAR.setdefault(_row.kind, []).extend(_listed)
_FOLDED = str.maketrans(
    "’‘“”！？；，：％＃（）０１２３４５６７８９①②③④⑤⑥⑦⑧⑨図", "''\"\"!?;,:%#()0123456789123456789图"
) | {ord(pair[0]): pair[1] for pair in _GRAMMAR["+traditional"]}
_PHRASES: dict[str, list[_Phrase]] = {}
for _row, _listed in _SECTIONS:
    for _phrase in map(_fold, [] if _row.kind.startswith("+") else _listed):
        _PHRASES.setdefault(_phrase[0], []).append(_Phrase.of(_phrase, _row))
for _candidates in _PHRASES.values():
    _candidates.sort(key=lambda candidate: -sum(map(len, candidate.words)))
SCENES = frozenset(_GRAMMAR["+scene"])
CLAUSE_ENDING = re.compile(f"(?:{'|'.join(_GRAMMAR['+clause ending'])})$")
_ROLES = [(phrase, kind[9:]) for kind in _GRAMMAR if kind.startswith("+picture") for phrase in _GRAMMAR[kind]]
_ROLES.sort(key=lambda role: -len(role[0]))
_ROLE = re.compile("|".join(f"({_fold(phrase).replace('(', '(?=')})" for phrase, _ in _ROLES))
_SUFFIX = re.compile(f"(?:{_fold('|'.join(_GRAMMAR['+suffix']))})?")
_INFLECTION = re.compile(rf"(?:(?!{'|'.join(_GRAMMAR['+not an ending'])})[ぁ-ゖ]){{0,12}}")
# What may follow a Korean noun: 수채화 + 풍 + 으로, then the end of the word or a verb written with it.
_PARTICLES, _VERBS = "|".join(_GRAMMAR["+particle"]), "|".join(_GRAMMAR["+joined verb"])
_TAIL = re.compile(rf"(?:{'|'.join(_GRAMMAR['+suffix'])})?(?:{_PARTICLES}){{0,2}}(?=[^가-힣]|$|{_VERBS})")
