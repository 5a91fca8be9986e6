"""Find the pictures that a prompt names: "image 2", "두 번째 사진", "第2张图", "2枚目の画像".

To add another way of naming, add a pattern to its language below and a line to the tests. All languages are always
read, because people mix them. No pattern repeats anything without a limit, so the time grows with the text's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from wan_client.schema import PROMPT_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Language = Literal["en", "ko", "ja", "zh"]

READ_MAX = 2 * PROMPT_MAX
"""A longer text is no prompt and is not read."""

# Blanks without line breaks, because a numbered list may follow a line break.
_B = r"[^\S\r\n]{0,4}"
_S = r"\s{1,4}"
# How many more numbers a list may have.
_MORE = "{0,8}"
_DIGITS = rf"(?<![0-9０-９])[0-9０-９]{{1,2}}(?![0-9０-９a-z%％°]|[.:．：][0-9０-９]|,[0-9]{{3}}|{_B}[x×*:]{_B}[0-9])"
_CIRCLED = "[①-⑨]"
# Letters without a lower case: where case is ignored, Python looks up each of a range's thousands of characters as it
# compiles a pattern, and does so again for several ranges in one set.
_HANGUL = "(?-i:[가-힣])"
_EAST_ASIAN = rf"(?:{_HANGUL}|(?-i:[ぁ-ん])|(?-i:[ァ-ヶ])|(?-i:[一-龯]))"
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
# Numerals that are not plain digits. A numeral is rewritten to another one of its row.
_NUMERALS = (
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th"),
    ("첫 번째", "두 번째", "세 번째", "네 번째", "다섯 번째", "여섯 번째", "일곱 번째", "여덟 번째", "아홉 번째"),
    ("첫번째", "두번째", "세번째", "네번째", "다섯번째", "여섯번째", "일곱번째", "여덟번째", "아홉번째"),
    ("첫째", "둘째", "셋째", "넷째", "다섯째", "여섯째", "일곱째", "여덟째", "아홉째"),
    ("첫", "두 번째", "세 번째"),
    ("ひとつ", "ふたつ", "みっつ", "よっつ", "いつつ", "むっつ", "ななつ", "やっつ", "ここのつ"),
    ("最初", "2番目", "3番目"),
    ("首", "第二", "第三"),
    tuple("一二三四五六七八九"),
    tuple("①②③④⑤⑥⑦⑧⑨"),
)
_ROW_OF = {numeral: row for row in reversed(_NUMERALS) for numeral in row}


def _any(*rows: int) -> str:
    return "|".join(numeral for row in rows for numeral in _NUMERALS[row])


_NUMERAL = re.compile(
    r"[0-9](?:st|nd|rd|th)|[0-9０-９]{1,2}|" + "|".join(sorted(_ROW_OF, key=len, reverse=True)), re.IGNORECASE
)

# English. A count of things ("90 degrees", "picture 3 people") is no name.
_EN_UNIT = r"(?:%|°|percent|degrees?|deg|px|pixels?|times|mm|cm|inch(?:es)?|mp)(?![a-z])"
_EN_PEOPLE = r"(?:people|persons|men|women|children|kids|friends)\b"
_EN_AFTER_WORD = (
    rf"(?=['’]|{_B}(?:$|[^\w\s]|[\r\n]|(?:and|or|as|in|into|is|are|to|with|for|on|onto|from|by|but|while|so|at|"
    rf"has|should|must|will|like|using|over|under|behind|beside|next|together|side)\b)|{_EAST_ASIAN})"
)
_EN_NUMBER = (
    rf"(?:{_DIGITS}(?!{_B}-?{_EN_UNIT})|{_CIRCLED}|(?:{_any(0)})(?![a-z]){_EN_AFTER_WORD})"
    # "and 2 dogs" is a thing more, not a picture more.
)
_EN_NO_THINGS = rf"(?!{_B}(?!(?:as|is|has|was|this|its|plus|across|versus|vs)\b)(?:[a-z]{{1,20}}s\b|{_EN_PEOPLE}))"
_EN_AND = rf"{_B}(?:,{_B}(?:and|or|&)\b|,|&|\+|/|\b(?:and|or)\b){_B}"
_EN_KIND = rf"(?:(?:reference|ref|input|source|uploaded|attached|given|provided|original|style){_S})?"
_EN_ONE = rf"(?:image|img|picture(?!{_B}[0-9]{{1,4}}{_B}{_EN_PEOPLE})|pic|photo|photograph|reference|ref|input)"
_EN_MANY = r"(?:images|imgs|pictures|pics|photos|photographs|references|refs|inputs)"
_EN_NOUN = rf"(?:{_EN_MANY}|{_EN_ONE})(?![a-z])"
_EN_JOIN = rf"(?:{_B}(?:#|№|no\.|number\b|nr\.){_B}|{_B}[(\[]{_B}|[_-]|{_B})"
_EN_ORDINAL = rf"(?:{_any(1, 2)})(?![a-z])"
_EN_ORDINALS = rf"{_EN_ORDINAL}(?:{_EN_AND}(?:the{_S})?{_EN_ORDINAL}){_MORE}"

# Korean. Only a particle or a word that goes with a picture may touch the number: "사진 2장" is a count.
_KO_NOUN = r"(?:(?:참고|참조|입력|원본|첨부)[ ]?)?(?:이미지|사진|그림|레퍼런스)"
_KO_TOUCHING = (
    r"번|은|는|이|가(?!지)|을|를|과|와|의|에|로|으로|만|(?<![0-9０-９]{2})도|처럼|랑|하고|부터|까지|보다|속|안|및|"
    r"배경|인물|입니다|야"
)
_KO_COUNTER = rf"(?:장|명|개|배|가지|층|살|인|마리)(?:[을를의이가은는로]|으로)?(?!{_HANGUL})"
_KO_NUMBER = rf"(?:{_DIGITS}|{_CIRCLED})(?:(?!{_HANGUL})(?!{_B}{_KO_COUNTER})|(?={_KO_TOUCHING}))"
_KO_AND = rf"(?:번째?)?{_B}(?:과|와|이랑|랑|하고|및|그리고|[,、·&/+]){_B}"
_KO_TO = rf"{_B}(?:[-–~〜∼]|번?(?:부터|에서)(?={_B}[0-9０-９]번?{_B}까지)){_B}"
_KO_AFTER_SHORT = rf"에|의|은|는|을|를|으로|과|와|처럼|{_B}(?:배경|스타일|느낌|화풍|색감|분위기|구도|포즈|옷)"
_KO_ORDINAL = rf"(?:{_any(3, 4, 5)})"

# Chinese and Japanese.
_HAN_COUNTER = (
    r"(?:枚(?!目)|つ(?!目)|個(?!目)|个|张|張|幅|位(?!置|于|於)|人(?!物|像)|名(?!字|前)|只(?=[猫狗鸟鳥兔])|匹|条(?!纹|紋)|倍|度|"
    r"回(?!転)|次|種|种|色(?!彩|调|調)|階|年(?!代|轻|輕)|月|日(?!本|出|落)|時|时|分(?!别|別|布|屏|割)|秒|米|寸|岁|歳)"
)
_HAN_DIGITS = rf"(?:{_DIGITS}|{_CIRCLED})(?!{_B}{_HAN_COUNTER})"
_HAN_NUMERAL = (
    rf"[一二三四五六七八九](?!{_HAN_COUNTER})"
    r"(?![一二三四五六七八九十百千样樣起致直般些下定切半同旦律层層点點边邊系緒覧部番つ生瞬气氣体體块塊会會方面维維手元角原])"
)
_HAN_AND = rf"{_B}(?:[、,・&/+和与與及跟と]|以及|および){_B}"
_HAN_TO = rf"{_B}(?:[-–~〜～到至]|から(?={_B}[0-9０-９]まで)){_B}"
_JA_NOUN = r"(?:(?:参考|参照|入力|元)?(?:画像|写真|イメージ|図|絵))"
_ZH_NOUN = r"(?:图片|图像|图|圖片|圖像|圖|照片|相片|照|画|畫)"
_HAN_NOUN = r"(?:画像|写真|イメージ|照片|相片|影像|(?<![地構构意企版截插蓝藍縮缩拼])(?:图片|图像|图|圖片|圖像|圖|図))"
_ZH_MEASURE = "[张張幅个個副]"
_JA_NTH = r"(?:枚目|番目|つ目|個目|目)"
_JA_N = rf"(?:{_any(7)}|[0-9０-９]{{1,2}}|[一二三四五六七八九])"


def _listed(number: str, also: str, between: str = "", guard: str = "") -> str:
    """Return a pattern of a number, of several, or of a range of them."""
    several = rf"(?P<list>{number}(?:{also}#?{number}{guard}){_MORE})"
    return rf"(?:(?P<range>{number}{between}{number}{guard}(?:까지|まで)?)|{several})" if between else several


_ENGLISH: set[str] = set()
# One of these is in each English wording, and a letter that is not in ASCII in each of the others.
_EN_HINT = re.compile("image|img|pic|photo|ref|input|them|[1-3]", re.IGNORECASE)


def _english(*patterns: str) -> tuple[str, ...]:
    _ENGLISH.update(patterns)
    return patterns


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed: all of them take as long as the rest of the client's import."""
    return re.compile(pattern, re.IGNORECASE)


def _fitting(patterns: Iterable[str], prompt: str) -> Iterator[re.Pattern[str]]:
    """Return those of the patterns that the prompt may match."""
    in_english, in_another = _EN_HINT.search(prompt) is not None, not prompt.isascii()
    return (_compiled(pattern) for pattern in patterns if (in_english if pattern in _ENGLISH else in_another))


_NAMINGS = (
    *_english(
        rf"(?<![a-z]){_EN_MANY}{_EN_JOIN}" + _listed(_EN_NUMBER, _EN_AND, rf"{_B}(?:[-–—~〜]|to\b|through\b){_B}"),
        rf"(?<![a-z]){_EN_ONE}{_EN_JOIN}" + _listed(_EN_NUMBER, _EN_AND, "[-–~]", _EN_NO_THINGS),
    ),
    rf"{_KO_NOUN}{_B}(?:(?:#|번호|[(\[]){_B})?" + _listed(_KO_NUMBER, _KO_AND, _KO_TO),
    rf"{_HAN_NOUN}{_B}(?:(?:#|第|番号|编号|編號|[(（\[【]){_B})?" + _listed(_HAN_DIGITS, _HAN_AND, _HAN_TO),
    rf"{_HAN_NOUN}{_B}" + _listed(_HAN_NUMERAL, _HAN_AND, "[到至]"),
    r"(?<![0-9０-９])(?P<list>[0-9０-９一二三①②③])[号號](?:图|圖|照片)",
)
_ORDINALS = (
    *_english(
        rf"(?<![a-z0-9-])(?<!\ba )(?<!\bevery )(?P<list>{_EN_ORDINALS}){_S}{_EN_KIND}{_EN_NOUN}"
        rf"(?!{_S}(?:frames?|books?|windows?|hooks?)\b)"
    ),
    rf"(?P<list>{_KO_ORDINAL}(?:{_KO_AND}{_KO_ORDINAL}){_MORE})(?:의)?{_B}{_KO_NOUN}",
    rf"(?<![0-9０-９.])(?P<list>(?:[0-9０-９]{{1,2}}{_KO_AND}){_MORE}[0-9０-９]{{1,2}}{_B}번째?)(?:의)?{_B}{_KO_NOUN}",
    rf"(?<!{_HANGUL})(?P<list>첫){_B}{_KO_NOUN}",
    rf"(?<![0-9０-９第])(?P<list>{_JA_N}(?:枚目|番目|つ目|個目|目|番)(?:{_HAN_AND}{_JA_N}{_JA_NTH}){_MORE})の?{_B}{_JA_NOUN}",
    rf"(?<![0-9０-９])(?P<list>{_JA_N})枚目",
    rf"(?P<list>最初)の{_JA_NOUN}",
    rf"第{_B}(?P<list>{_JA_N}(?:{_ZH_MEASURE}?{_HAN_AND}第?{_JA_N}){_MORE}){_B}{_ZH_MEASURE}?的?(?:参考|參考)?{_ZH_NOUN}",
    rf"第{_B}(?P<list>{_JA_N}){_B}[张張幅](?![桌床脸臉嘴椅纸紙票卡牌皮弓沙海地])",
    rf"(?P<list>首)[张張幅](?:{_ZH_NOUN})",
)
# Read only where a picture was named in one of the ways above: "the first picture … the second one".
_SHORT_ORDINALS = (
    rf"\bthe{_S}(?P<list>{_EN_ORDINAL})(?:{_S}one\b|{_EN_AFTER_WORD})",
    rf"(?P<list>{_KO_ORDINAL})(?={_KO_AFTER_SHORT}|로|{_B}것|{_B}거)",
    rf"(?<![0-9０-９.])(?P<list>[0-9０-９])번째?(?={_KO_AFTER_SHORT})",
    rf"(?<![0-9０-９第])(?P<list>{_JA_N})(?:番目|つ目)(?=[にをはがへ]|の(?:背景|スタイル|画風|色|雰囲気|構図|ポーズ|服))",
)
# Numbers alone, where the words beside them leave nothing else to be meant.
_BARE = (
    *_english(
        rf"\b(?:of|between|combine|merge|blend|join|mix){_S}(?P<list>[1-3](?:{_EN_AND}[1-3]){{1,2}})(?!{_B}[\w%°])"
    ),
    r"(?<![0-9０-９.])(?P<list>[1-3１-３])번(?=처럼)",
)
# Pictures named by how many they are. Their order does not matter, so nothing about them is ever rewritten.
_COUNTED = {
    2: (
        *_english(
            rf"\b(?:both|(?:the|these|those){_S}(?:two|2))(?:{_S}of)?(?:{_S}(?:the|these|those|my))?{_S}{_EN_KIND}{_EN_MANY}\b"
        ),
        rf"(?<!{_HANGUL})(?:두|양쪽){_B}(?:[장개]의{_B})?{_KO_NOUN}",
        rf"(?<![0-9０-９])[2２]{_B}[장개]의{_B}{_KO_NOUN}",
        rf"(?<![0-9０-９第前加挂掛贴貼添])[两兩二2２]{_ZH_MEASURE}(?:参考|參考)?{_ZH_NOUN}",
        rf"[这這][两兩]{_ZH_MEASURE}?|(?<![第前])[两兩](?:{_ZH_MEASURE}(?=都)|[图圖])",
        rf"(?:両方の|両|(?<![0-9０-９])[2２二](?:枚|つ)の|ふたつの){_JA_NOUN}",
    ),
    3: (
        *_english(
            rf"\b(?:all|(?:the|these|those)){_S}(?:three|3)(?:{_S}of)?(?:{_S}(?:the|these|those|my))?{_S}{_EN_KIND}{_EN_MANY}\b"
        ),
        rf"(?<!{_HANGUL})세{_B}(?:[장개]의{_B})?{_KO_NOUN}",
        rf"(?<![0-9０-９])[3３]{_B}[장개]의{_B}{_KO_NOUN}",
        rf"(?<![0-9０-９第前加挂掛贴貼添])[三3３]{_ZH_MEASURE}(?:参考|參考)?{_ZH_NOUN}",
        rf"[这這]三{_ZH_MEASURE}",
        rf"(?<![0-9０-９])(?:[3３三](?:枚|つ)の|みっつの){_JA_NOUN}",
    ),
}
# "The first two pictures": the pattern, the noun where none is said, and what stands between two numbers.
_LEADING = {
    _english(rf"\b(?:the{_S})?first{_S}(?P<many>two|2|three|3){_S}{_EN_KIND}(?P<noun>{_EN_MANY})\b")[0]: (
        "{noun} {first} and {second}"
    ),
    rf"(?:처음|앞의?){_B}(?P<many>두|2|세|3){_B}(?:장의{_B})?(?P<noun>{_KO_NOUN})": "{noun} {first}, {second}",
    rf"最初の(?P<many>[2２二3３三])(?:枚|つ)の(?P<noun>{_JA_NOUN})": "{noun}{first}、{second}",
    rf"前(?P<many>[两兩2２二三3３]){_ZH_MEASURE}(?P<noun>{_ZH_NOUN})": "{noun}{first}、{second}",
}
_THREE = {"three", "3", "３", "세", "三"}
# Words for all the pictures, however many there are.
_ALL = (
    *_english(
        rf"\b(?:all|each|every)(?:{_S}of)?(?:{_S}(?:the|these|those|my))?{_S}{_EN_KIND}{_EN_NOUN}",
        rf"\b(?:both|all){_S}of{_S}them\b",
    ),
    rf"(?:모든|전체|각){_B}{_KO_NOUN}",
    rf"(?:所有|全部|每[张張幅]|各[张張幅])[^，,。の]{{0,4}}{_ZH_NOUN}|{_ZH_NOUN}都",
    rf"(?:すべて|全て|全部|各|それぞれ)の?{_JA_NOUN}|両方(?!の{_JA_NOUN})|[2２二3３三]枚とも|{_JA_NOUN}[2２二3３三]枚(?!目)|(?<![^、。\s])[2２二3３三]枚(?=を)",
    rf"{_KO_NOUN}{_B}[두세23２３]{_B}장|둘{_B}다|셋{_B}다|[두세]{_B}장",
)
# Words that may mean any of the pictures.
_SOME = (
    *_english(
        rf"\b(?:the|these|those|my|your|other|remaining){_S}(?:of{_S})?(?:(?:the|these|those|my){_S})?{_EN_KIND}{_EN_MANY}\b",
        rf"\b(?:either|other|last|remaining){_S}(?:of{_S}the{_S})?{_EN_KIND}{_EN_NOUN}",
    ),
    rf"(?:나머지|다른|마지막){_B}{_KO_NOUN}|{_KO_NOUN}들",
    rf"(?:[这這那]些|其他|其它|其[余餘]|另一|另外|最[后後]|剩[下余餘])[^，,。]{{0,4}}{_ZH_NOUN}",
    rf"(?:これら|他|残り|最後|もう[一1１](?:枚|つ|方))の?{_JA_NOUN}",
)
_CLOSING = {'"': '"', "“": "”", "「": "」", "『": "』", "《": "》"}
_QUOTE = re.compile("[" + "".join(_CLOSING) + "]")
# After a final consonant · after a vowel. 로 also follows ㄹ.
_PARTICLES = (("으로", "로"), ("이랑", "랑"), ("을", "를"), ("은", "는"), ("이", "가"), ("과", "와"))
_PARTICLE = re.compile(r"(으로|로|이랑|랑|을|를|은|는|이|가|과|와)(?=[^가-힣]|$|의|는|도|만|부터|서|써)")
_SCRIPTS = {"ja": re.compile("[ぁ-ゖァ-ヺ]"), "ko": re.compile("[가-힣]"), "zh": re.compile("[㐀-鿿]")}


@dataclass(frozen=True)
class Mention:
    """A place where a prompt names a picture.

    Attributes:
        number: The picture's number, 1 for the first. It may be one that cannot exist.
        start: Where the characters begin that say the number, with the Korean particle that depends on it.
        end: Where they end. Several mentions share a place that names several at once ("both images").
        words: Where the whole wording begins and ends, noun included. The numbers of a list share it.
    """

    number: int
    start: int
    end: int
    words: tuple[int, int]


@dataclass(frozen=True)
class Mismatch:
    """Where a prompt and the pictures given with it do not agree.

    Attributes:
        missing: The numbers that are named but not given, in the order of the text.
        unnamed: The numbers that are given but not named, where that leaves open what they are for.
    """

    missing: tuple[int, ...]
    unnamed: tuple[int, ...]


@dataclass(frozen=True)
class _Place:
    start: int
    end: int
    numbers: tuple[int, ...]
    kind: Literal["number", "range", "counted", "leading"] = "number"
    form: str = ""

    def rewritten(self, text: str, numbers: tuple[int, ...]) -> str:
        """Write the same wording for other numbers."""
        if self.kind == "number":
            return _number_like(text, numbers[0])
        if self.kind == "counted" or sorted(numbers) == sorted(self.numbers):
            return text
        few = sorted(set(numbers))
        if self.kind == "range":
            ends = list(_NUMERAL.finditer(text))
            low, high = (_numeral_like(end[0], number) for end, number in ((ends[0], few[0]), (ends[1], few[-1])))
            if few == list(range(few[0], few[-1] + 1)):
                return f"{low}{text[ends[0].end() : ends[1].start()]}{high}{text[ends[1].end() :]}"
            return ", ".join(_numeral_like(ends[0][0], number) for number in few)
        return self.form.format(first=few[0], second=few[-1])


def mentions(prompt: str) -> tuple[Mention, ...]:
    """Return every place where the prompt names a picture by its number, in the order of the text."""
    return tuple(
        Mention(number, place.start, place.end, words) for words, place in _places(prompt) for number in place.numbers
    )


def all_pictures(prompt: str) -> tuple[tuple[int, int], ...]:
    """Return the places that mean all the pictures there are: "all images", "모든 사진", "所有图片"."""
    if len(prompt) > READ_MAX:
        return ()
    return tuple(sorted(match.span() for pattern in _fitting(_ALL, prompt) for match in pattern.finditer(prompt)))


def names_any(prompt: str) -> bool:
    """Return whether the prompt has words that may mean each of the pictures: "all images", "the other picture"."""
    return len(prompt) <= READ_MAX and any(pattern.search(prompt) for pattern in _fitting((*_ALL, *_SOME), prompt))


def mismatch(prompt: str, images: int) -> Mismatch:
    """Compare the pictures that the prompt names with those that are given.

    Args:
        prompt: The text.
        images: How many pictures are given; they are numbered from 1.
    """
    if not prompt.strip() or len(prompt) > READ_MAX:
        return Mismatch((), ())
    named = dict.fromkeys(mention.number for mention in mentions(prompt))
    unnamed = [number for number in range(1, images + 1) if number not in named]
    if names_any(prompt):
        unnamed = []
    elif not named:
        # Image 1 is the picture to edit, unless the prompt says otherwise.
        unnamed = unnamed[1:]
    return Mismatch(tuple(number for number in named if not 1 <= number <= images), tuple(unnamed))


def renumber(prompt: str, mapping: Mapping[int, int]) -> str:
    """Renumber the pictures of a prompt, all at once, so that a swap works.

    Wording, script and style of the numbers stay. Words for a set of pictures ("images 1-2", "the first two images")
    become a list where they have to. Pictures named by how many they are ("both images") stay as they are.

    Args:
        prompt: The text.
        mapping: Old number → new number. Numbers that are not in it stay.
    """
    pieces, done = [], 0
    for _, place in _places(prompt):
        numbers = tuple(mapping.get(number, number) for number in place.numbers)
        if numbers != place.numbers:
            pieces += [prompt[done : place.start], place.rewritten(prompt[place.start : place.end], numbers)]
            done = place.end
    return "".join([*pieces, prompt[done:]])


def language_of(prompt: str) -> Language:
    """Return the language that the prompt is written in, by its script. Quoted texts, to be drawn, do not count."""
    pieces, done = [], 0
    for start, end in _quotes(prompt):
        pieces.append(prompt[done:start])
        done = end
    text = "".join([*pieces, prompt[done:]])
    kana, hangul = (len(_SCRIPTS[language].findall(text)) for language in ("ja", "ko"))
    if kana or hangul:
        return "ja" if kana > hangul else "ko"
    return "zh" if _SCRIPTS["zh"].search(text) else "en"


def _quotes(prompt: str) -> list[tuple[int, int]]:
    """Return where quoted texts begin and end, marks included. A straight quote ends on its line."""
    found: list[tuple[int, int]] = []
    unclosed: set[str] = set()
    at = 0
    while opening := _QUOTE.search(prompt, at):
        start, mark = opening.start(), opening[0]
        at = start + 1
        # A mark that is closed nowhere is searched for once, not once for each time it is opened.
        end = -1 if mark in unclosed else prompt.find(_CLOSING[mark], at)
        if end < 0:
            unclosed.add(mark)
        elif mark != '"' or "\n" not in prompt[at:end]:
            at = end + 1
            found.append((start, at))
    return found


def _places(prompt: str) -> list[tuple[tuple[int, int], _Place]]:
    """Return where the prompt names pictures: the whole wording, and the place of the number in it.

    Of two wordings that overlap, the one that begins first counts, then the longer.
    """
    if len(prompt) > READ_MAX:
        return []
    found = [
        (match.span(), place) for match, place in _candidates(prompt, _fitting((*_NAMINGS, *_ORDINALS, *_BARE), prompt))
    ]
    for many, patterns in _COUNTED.items():
        numbers = tuple(range(1, many + 1))
        for pattern in _fitting(patterns, prompt):
            found += [(m.span(), _Place(*m.span(), numbers, "counted")) for m in pattern.finditer(prompt)]
    for pattern in _fitting(_LEADING, prompt):
        for match in pattern.finditer(prompt):
            numbers = (1, 2, 3) if match["many"].lower() in _THREE else (1, 2)
            known = _LEADING[pattern.pattern].replace("{noun}", match["noun"])
            found.append((match.span(), _Place(*match.span(), numbers, "leading", known)))
    if any(pattern.search(prompt) for pattern in _fitting(_ORDINALS, prompt)):
        taken = _covered(len(prompt), (span for span, _ in found))
        found += [
            (match.span(), place)
            for match, place in _candidates(prompt, map(_compiled, _SHORT_ORDINALS))
            if 1 not in taken[match.start() : match.end()]
        ]
    found.sort(key=lambda item: (item[0][0], -item[0][1]))
    quotes = _quotes(prompt)
    quoted = _covered(len(prompt), ((start + 1, end - 1) for start, end in quotes))
    set_off = set(quotes)
    places: dict[tuple[int, int], tuple[tuple[int, int], _Place]] = {}
    last = (0, 0)
    for span, place in found:
        if span != last and span[0] < last[1]:
            continue
        last = span
        # A text to be drawn is not to be touched; quotes around nothing but a name only set it off.
        if 0 in quoted[span[0] : span[1]] or (span[0] - 1, span[1] + 1) in set_off:
            places[place.start, place.end] = (span, place)
    return [places[key] for key in sorted(places)]


def _covered(length: int, spans: Iterable[tuple[int, int]]) -> bytearray:
    """Return a 1 for each character of a text that is in one of the spans."""
    covered = bytearray(length)
    for start, end in spans:
        covered[start:end] = b"\1" * (end - start)
    return covered


def _candidates(prompt: str, patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[re.Match[str], _Place]]:
    for pattern in patterns:
        for match in pattern.finditer(prompt):
            if match.groupdict().get("range"):
                start, end = match.span("range")
                low, high = (_value(numeral[0]) for numeral in _NUMERAL.finditer(prompt, start, end))
                if low < high:
                    yield match, _Place(start, end, tuple(range(low, high + 1)), "range")
                continue
            for numeral in _NUMERAL.finditer(prompt, *match.span("list")):
                number, end = _value(numeral[0]), numeral.end()
                particle = _PARTICLE.match(prompt, end)
                if particle and particle[0] == _particle(particle[0], number):
                    end = particle.end()
                yield match, _Place(numeral.start(), end, (number,))


def _value(numeral: str) -> int:
    row = _ROW_OF.get(numeral.lower())
    return row.index(numeral.lower()) + 1 if row else int(numeral)


def _number_like(text: str, new: int) -> str:
    """Write the new number as the old one was written, with the particle that goes with it."""
    particle = _PARTICLE.search(text)
    numeral = text[: particle.start()] if particle else text
    return _numeral_like(numeral, new) + (_particle(particle[0], new) if particle else "")


def _numeral_like(old: str, new: int) -> str:
    row = _ROW_OF.get(old.lower(), ())
    if 1 <= new <= len(row):
        return row[new - 1].upper() if old.isupper() else row[new - 1].title() if old.istitle() else row[new - 1]
    return str(new).translate(_FULL_WIDTH) if "０" <= old[0] <= "９" else str(new)


def _particle(particle: str, number: int) -> str:
    """Return the form of the particle after the number as it is read aloud (일, 이, 삼)."""
    closed, open_ = next(pair for pair in _PARTICLES if particle in pair)
    last = number % 10
    if last in {2, 4, 5, 9} or (closed == "으로" and last in {1, 7, 8}):
        return open_
    return closed
