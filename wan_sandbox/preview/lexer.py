"""From a prompt's characters to tokens of the vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain

from wan_sandbox.preview.vocabulary import (
    ALMOST_MISSPELT,
    COLOURS,
    OFTEN_MISSPELT,
    OPERATION_ROWS,
    TRADITIONAL,
    WORD_ROWS,
    OperationRow,
    Row,
)

_NOUN = "풍|식|톤|느낌|스타일|효과|필터|분위기|그림|사진|이미지|버전|모드|화|체|색|빛"
_PARTICLE = (
    "으로|로|을|를|은|는|이|가|의|에서|에다가|에다|에|와|과|도|만|처럼|같이|같은|스럽게|스러운|하게|한|랑|까지|부터"
    "|보다|인|적인|적으로|이고|이며|고"
)
_VERB = "바꿔|바꾸|변환|만들|그려|해줘|해주|해라|하고|적용|표현|처리|변경|부탁"
# What may follow a Korean noun: 수채화 + 풍 + 으로, then the word's end or a verb written together with it.
_TAIL = re.compile(rf"(?:{_NOUN})?(?:{_PARTICLE}){{0,2}}(?=[^가-힣]|$|{_VERB})")
_LATIN = re.compile("[a-z0-9]*", re.IGNORECASE)
_HANGUL = re.compile("[가-힣]*")
_PICTURES = {"image", "picture", "photo"}
_NUMBER = re.compile(r"\s*#?[1-9]\b")
_SPACE = re.compile(r"[\s/-]*")
_UNSPACED = re.compile("[ぁ-ゖァ-ヺー々一-鿿㐀-䶿]")
_WORD = re.compile(r"[가-힣]+|[^\W_가-힣ぁ-ヺー々一-鿿㐀-䶿]+(?:['-][^\W_가-힣ぁ-ヺー々一-鿿㐀-䶿]+)*")
_HAN = re.compile("[々一-鿿㐀-䶿]")
_HIRAGANA = re.compile("[ぁ-ゖ]")
_KATAKANA = re.compile("[ァ-ヺー]+")
# What ends an inflected word of Japanese though no other script follows: を, a "not", a "like", an adverb.
_INFLECTION = re.compile(
    "(?:(?!を|ないで|ないよう|ない程度|なくて|しない|せず|ずに|ません|のまま|そのまま|ように|ような|みたい|だけ|のみ"
    "|もっと|かなり|すこし|ちょっと|とても|すごく|やや|さらに|そして|また)[ぁ-ゖ])*"
)
_JAPANESE_PARTICLE = re.compile("には|では|にも|でも|から|まで|[をにのでがはとも]")
# 水彩画风, 复古感; 漫画タッチ. Not 风景, which is a word of its own.
_SUFFIX = re.compile(
    "(?:スタイル|タッチ|エフェクト|フィルター|フィルタ|アート|カラー|トーン|モード|イラスト|ライト|ムード"
    "|风(?![格景光车扇筝暴])|调(?![整节色和])|感(?![觉情じ])|化|版(?![本権权])|式)?"
)
# One character of Chinese that ends an unknown word before it.
_DIVIDES = frozenset("的把将让给和与跟在用并但不别变加换成为到")
_QUOTED = re.compile(r'"[^"]*"|「[^」]*」|『[^』]*』')
_SHARE = re.compile(r"(?:\d+\s*(?:%|percent|퍼센트|프로|パーセント)|百分之[0-9一二三四五六七八九十]+)")
_STOP = re.compile(r"[.;!?\n…。]+|(?<=\s)[-–—]+(?=\s)")
# ㅋㅋ, ㄱㄱ, ㅠㅠ: single letters are a tone of voice.
_JAMO = re.compile("[ㄱ-ㅎㅏ-ㅣ]+")
# 이사진을유화로: without spaces only the particle tells where the noun ends.
_OBJECT = re.compile("(?:이|그|저|내|우리)?(?:사진|이미지|그림)[을를](?=[가-힣])")
_COMMA = re.compile(r"[,、，]")

_NUMBERS = {
    **dict.fromkeys(["1", "one", "first", "1st", "일", "첫", "첫째", "一", "最初", "首"], 1),
    **dict.fromkeys(["2", "two", "second", "2nd", "이", "두", "둘째", "二", "两"], 2),
    **dict.fromkeys(["3", "three", "third", "3rd", "삼", "세", "셋째", "三"], 3),
}
_PICTURE = (
    r"(?:reference\s+|input\s+|source\s+)?"
    r"(?:images?|pictures?|photos?|photographs?|pics?|imgs?|references?|refs?|inputs?)"
)
_GAP = r"[\s_-]*"
_ENGLISH_IMAGE = re.compile(
    rf"[@<\[(]?(?:{_PICTURE}{_GAP}(?:(?:number|no\.?|nr\.?|#){_GAP})?(?P<after>[1-9]|one|two|three)(?![a-z0-9])"
    rf"|(?P<before>first|second|third|1st|2nd|3rd)\s+(?:{_PICTURE}|one)(?![a-z])"
    r"|(?<=the )(?P<short>first|second|third)(?=\s+(?:as|is|in|on|into|with|and)\b|[,.]|$)"
    r"|(?<![\w.])(?P<pair>[1-3])(?=\s*(?:and|&|\+)\s*[1-3](?![\w%]|-?bit))"
    r")[>\])]?(?P<of>'s(?![a-z]))?",
    re.IGNORECASE,
)
_KOREAN_PICTURE = "(?:이미지|사진|그림|레퍼런스|참조(?: ?이미지)?)"
_KOREAN_IMAGE = re.compile(
    rf"(?:{_KOREAN_PICTURE}\s*(?:#|번호\s*)?(?P<after>[1-9]|일|이|삼)(?![0-9가-힣])(?:\s*번)?"
    rf"|{_KOREAN_PICTURE}\s*(?:#|번호\s*)?(?P<close>[1-9])\s*번?"
    r"|(?P<bare>[1-9])번(?=처럼|의|을|를|에|과|와|랑|은|는)"
    rf"|(?P<before>[1-9])\s*번\s*째?\s*{_KOREAN_PICTURE}"
    rf"|(?P<ordinal>첫|두|세)\s*번째\s*(?:{_KOREAN_PICTURE}|것)"
    rf"|(?P<nth>첫째|둘째|셋째)\s*{_KOREAN_PICTURE})"
)
_HAN_PICTURE = "(?:(?:参考|参照|入力)?(?:画像|写真|图片|图像|照片|相片|イメージ|图|絵))"
# 写真2枚 and 图2倍 count something.
_COUNTED = r"(?!\s*(?:[枚番](?!目)|つ(?!目)|[张个年月日时倍度秒位格层]|分割))"
_HAN_IMAGE = re.compile(
    rf"(?:{_HAN_PICTURE}\s*(?:#|第|番号|编号|[(（【])?\s*(?:(?P<after>[1-9])(?![0-9]){_COUNTED}"
    rf"|(?P<numeral>[一二三])(?![样起些半致直般定种下切次个张]))\s*[)）】]?"
    rf"|(?<![0-9])(?P<before>[1-9一二三])\s*(?:(?:枚目|番目|つ目)(?:の?{_HAN_PICTURE})?|番の?{_HAN_PICTURE}|号图片?)"
    rf"|(?P<ordinal>最初)の{_HAN_PICTURE}"
    rf"|第\s*(?P<nth>[1-9一二三])\s*(?:[张幅](?:的?{_HAN_PICTURE})?|个?{_HAN_PICTURE})"
    rf"|(?P<leading>首)张{_HAN_PICTURE}?)"
)
_ROLES = {
    "like": "처럼|같이|같은|のような|のように|みたいな|みたいに|と同じ|と一致|风|っぽく|っぽい"
    "|一样的?|那样的?|那种|相同的?|同款的?|一致|似的",
    "object": "을|를|を",
    "of": "의|에서|における|から|の|里的|中的|上的|内的|的",
    "with": "으로|로|では?|に(?=[しす変差替换]|置き換|入れ替|切り替|なる|\\W|$)",
    "to": "에다가|에다|에|には|に|へ|里面?|中|上面?|内",
    "bare": "와|과|랑|이랑|하고|은|는|이|가|도|[とがはも和与跟及]",
}
_ROLE = re.compile("|".join(f"(?P<{role}>{endings})" for role, endings in _ROLES.items()))
_BOTH = re.compile(
    rf"(?:both|all|all three|all two|the two|the three|these|those)\s+(?:of\s+(?:the|them)\s+)?(?:the\s+|of\s+)?"
    rf"(?:{_PICTURE}|of them)(?![a-z])|(?:both|all of them|each other)(?![a-z])"
    rf"|(?:두|세|모든|모두의|둘)\s*{_KOREAN_PICTURE}(?:{_PARTICLE})?(?=[^가-힣]|$)"
    rf"|(?:(?:両方|すべて|全て|全部|それぞれ|[23二三]枚)の{_HAN_PICTURE}|両方|両{_HAN_PICTURE}|[23二三]枚(?![目组])(?:とも)?"
    rf"|这?(?:[两三]张|[两三]幅)(?:{_HAN_PICTURE})?|[2二3三][张幅]{_HAN_PICTURE}|两{_HAN_PICTURE}|两者|(?:所有|全部|每张|每幅)的?{_HAN_PICTURE})",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\s*(?:,|&|\+|and|와|과|랑|하고|및|[、と和与跟及])\s*(?:and\s+)?([1-9])(?![0-9a-z]|-?bit|[枚张つ个番])\s*번?",
    re.IGNORECASE,
)

_PATTERNS = (
    ("word", _QUOTED),
    ("glue", _SHARE),
    ("stop", _STOP),
    ("comma", _COMMA),
    ("both", _BOTH),
    ("polite", _JAMO),
    ("glue", _OBJECT),
)
_PLAIN = (
    str.maketrans(
        "’‘“”！？；，：％＃（）０１２３４５６７８９①②③④⑤⑥⑦⑧⑨図",
        "''\"\"!?;,:%#()0123456789123456789图",
    )
    | TRADITIONAL
)
_WEIGHTY = {"operation", "colour", "part", "word", "refuse"}
_MEDIUM = re.compile(r"\s+(?:painting|drawing|sketch|art)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A stretch of the prompt and what the vocabulary says it is.

    `role` says how a reference is introduced: object, of, like, with, to or bare.
    """

    kind: str
    start: int
    end: int
    row: Row | None = None
    image: int = 0
    role: str = "bare"

    @property
    def operation(self) -> OperationRow | None:
        """The operation that these words ask for, if they ask for one."""
        return self.row if self.kind == "operation" and isinstance(self.row, OperationRow) else None

    @property
    def value(self) -> str:
        """What the vocabulary notes beside the words."""
        return str(self.row.value) if self.row else ""


def tokens(text: str) -> list[Token]:
    """Read a text from left to right; the longest known phrase wins, and a word nobody knows is a word."""
    plain = _plain(text)
    found: list[Token] = []
    position = 0
    while position < len(plain):
        step = _image(plain, position, found) or _known(plain, position)
        if step:
            found.extend(step)
            position = step[-1].end
        else:
            position += 1
    return found


def _plain(text: str) -> str:
    """Write a text as the vocabulary does, character for character: straight quotes, narrow digits, simplified."""
    return text.translate(_PLAIN)


def _known(text: str, at: int) -> list[Token]:
    for kind, pattern in _PATTERNS:
        if match := pattern.match(text, at):
            return [Token(kind, at, match.end())]
    for phrase in _lexicon().get(text[at].lower(), ()):
        if end := phrase.match(text, at):
            return [Token(phrase.kind, at, end, phrase.row)]
    if _UNSPACED.match(text, at):
        return [Token("word", at, _unspaced_word(text, at))]
    if match := _WORD.match(text, at):
        return [_misspelt(match) or Token("word", at, match.end())]
    return []


def _unspaced_word(text: str, at: int) -> int:
    """Give the place where an unknown word of Japanese or Chinese ends: with its script, or before a known one."""
    if katakana := _KATAKANA.match(text, at):
        return katakana.end()
    end = at + 1
    if _HAN.match(text, at):
        while _HAN.match(text, end) and not _begins_word(text, end):
            end += 1
        particle = _JAPANESE_PARTICLE.match(text, end)
        if particle and (not _HIRAGANA.match(text, particle.end()) or _begins_word(text, particle.end())):
            return end
    ending = _INFLECTION.match(text, end)
    return ending.end() if ending else end


def _begins_word(text: str, at: int) -> bool:
    """Tell whether known words begin here, so that unknown ones end."""
    if at >= len(text):
        return False
    if text[at] in _DIVIDES or _HAN_IMAGE.match(text, at):
        return True
    phrases = _lexicon().get(text[at].lower(), ())
    return any(phrase.size > 1 and not phrase.small and phrase.match(text, at) for phrase in phrases)


def _misspelt(word: re.Match[str]) -> Token | None:
    """Recognise a look in a slip of the keyboard: "scketch", "waterclor"."""
    written = word[0].lower()
    close = [] if written in ALMOST_MISSPELT else get_close_matches(written, OFTEN_MISSPELT, 1, 0.83)
    if not close or close[0][0] != written[0]:
        return None
    meant = next(phrase for phrase in _lexicon()[written[0]] if phrase.words == close)
    rest = _MEDIUM.match(word.string, word.end())
    return Token(meant.kind, word.start(), rest.end() if rest else word.end(), meant.row)


def _image(text: str, at: int, before: list[Token]) -> list[Token]:
    """Read "image 2's", "images 1 and 2", "두 번째 사진을", "2枚目の画像を", "第二张图的"."""
    match = _ENGLISH_IMAGE.match(text, at) or _KOREAN_IMAGE.match(text, at) or _HAN_IMAGE.match(text, at)
    if not match:
        return []
    words = match.groupdict()
    number = next(word for name, word in words.items() if word and name != "of")
    role, end = "bare", match.end()
    if words.get("of"):
        role = "of"
    elif (particle := _ROLE.match(text, end)) and not _MORE.match(text, end):
        role, end = particle.lastgroup or "bare", particle.end()
    elif before and (earlier := _preposition(before)):
        role = earlier
    read = [Token("image", at, end, image=_NUMBERS.get(number.lower(), 0) or int(number), role=role)]
    while more := _MORE.match(text, end):
        end = more.end()
        if (particle := _ROLE.match(text, end)) and not _MORE.match(text, end):
            role, end = particle.lastgroup or "bare", particle.end()
        read.append(Token("image", more.start(1), end, image=int(more[1]), role=role))
    return read


def _preposition(before: list[Token]) -> str:
    for token in reversed(before[-3:]):
        if token.kind in {"glue", "with"} and token.value:
            return token.value
        if token.kind != "definite":
            break
    return ""


class _Phrase:
    """One phrase of the vocabulary, ready to be looked for."""

    def __init__(self, phrase: str, kind: str, row: Row) -> None:
        self.words = phrase.rstrip("~").split()
        self.kind = kind
        self.row = row
        self._any_ending = phrase.endswith("~")
        # A particle by itself takes no other: 가을 is autumn, not 가 and 을.
        self._particle = len(phrase) == 1 and kind in {"glue", "definite", "join"}
        self.size = len("".join(self.words))
        # は may begin はずす, and 上 上海: little words need to be told from the beginning of another.
        kana = len(_HIRAGANA.findall(phrase)) == len(phrase) < 3
        self.small = kind not in _WEIGHTY and (kana or (self.size == 1 and phrase not in _DIVIDES))

    def match(self, text: str, at: int) -> int:
        """Give the place where the phrase ends if it stands here, otherwise 0."""
        for number, word in enumerate(self.words):
            if number and (space := _SPACE.match(text, at)):
                at = space.end()
            if text[at : at + len(word)].lower() != word:
                return 0
            at += len(word)
        # "mirror image 1" is about image 1.
        return 0 if self.words[-1] in _PICTURES and _NUMBER.match(text, at) else self._ending(text, at)

    def _ending(self, text: str, at: int) -> int:
        if _UNSPACED.match(self.words[-1][-1]):
            return self._unspaced_ending(text, at)
        korean = _HANGUL.fullmatch(self.words[-1][-1])
        ending = (_HANGUL if korean else _LATIN).match(text, at)
        rest = ending.end() if ending else at
        if self._any_ending:
            return rest
        if not korean and rest > at:
            return 0
        if korean and self._particle:
            return at if rest == at else 0
        particles = _TAIL.match(text, at)
        return particles.end() if particles else 0

    def _ends_before(self, text: str, at: int) -> bool:
        single = any(phrase.match(text, at) for phrase in _lexicon().get(text[at], ()) if phrase.kind in _WEIGHTY)
        particle = _HAN.match(self.words[-1]) and _JAPANESE_PARTICLE.match(text, at)
        return single or bool(particle) or _begins_word(text, at)

    def _unspaced_ending(self, text: str, at: int) -> int:
        if self.small and self.words[-1] != "を":
            before = text[at - self.size - 1 : at - self.size]
            attached = _HIRAGANA.match(text, at - 1) and _UNSPACED.match(before) and not _HIRAGANA.match(before)
            if not attached and _UNSPACED.match(text, at) and not self._ends_before(text, at):
                return 0
        ending = (_INFLECTION if self._any_ending else _SUFFIX).match(text, at)
        end = ending.end() if ending else at
        return 0 if _KATAKANA.match(text, end - 1) and _KATAKANA.match(text, end) else end


@lru_cache
def _lexicon() -> dict[str, list[_Phrase]]:
    """Arrange the vocabulary by first letter, long phrases before short ones."""
    lexicon: dict[str, list[_Phrase]] = {}
    colours = (
        Row("colour", english, korean, japanese, chinese, name)
        for name, (_, english, korean, japanese, chinese) in COLOURS.items()
    )
    for row in chain(OPERATION_ROWS, WORD_ROWS, colours):
        kind = "operation" if isinstance(row, OperationRow) else row.name
        for phrase in filter(None, map(str.strip, _written(row).split("|"))):
            lexicon.setdefault(phrase[0], []).append(_Phrase(phrase, kind, row))
    for phrases in lexicon.values():
        phrases.sort(key=lambda phrase: -phrase.size)
    return lexicon


def _written(row: Row) -> str:
    return _plain("|".join([row.english, row.korean, row.japanese, row.chinese])).lower()
