"""Which pictures a prompt names, in four languages, and what becomes of the text when their numbers change."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_client.mentions import (
    READ_MAX,
    Mismatch,
    all_pictures,
    language_of,
    mentions,
    mismatch,
    names_any,
    renumber,
)

SWAP = {1: 2, 2: 1}

NAMED = {
    "image 2": [2],
    "Image #2": [2],
    "image2": [2],
    "img_2": [2],
    "@image1": [1],
    "image (2)": [2],
    "image number two": [2],
    "picture two": [2],
    "pic 2": [2],
    "photo 1 & 2": [1, 2],
    "reference 2": [2],
    "reference image 3": [3],
    "the second picture": [2],
    "Second photo": [2],
    "2nd image": [2],
    "the second reference image": [2],
    "the first and second images": [1, 2],
    "the person from the first image in the second.": [1, 2],
    "put the person of the first image into the second with the same pose": [1, 2],
    "input 1 in the style of input 2": [1, 2],
    "the hat of the first photo on the head of the second one": [1, 2],
    "image 1 and 2": [1, 2],
    "images 1, 2 and 3": [1, 2, 3],
    "images 1-3": [1, 2, 3],
    "images 2 to 3": [2, 3],
    "the first two images": [1, 2],
    "첫 번째 사진 in the style of the second one": [1, 2],
    "both images": [1, 2],
    "both of the pictures": [1, 2],
    "the two photos": [1, 2],
    "all three pictures": [1, 2, 3],
    "image 1's cat": [1],
    "Image 1: a cat. Image 2: a dog": [1, 2],
    "the cat of image 1 with the colours of image 2": [1, 2],
    "image 1 colours": [1],
    "image 1 and 2 dogs": [1],
    "image 4": [4],
    "image 12": [12],
    'use "image 2" as the style': [2],
    "이미지 2": [2],
    "이미지2": [2],
    "이미지 ②를": [2],
    "그림 2": [2],
    "사진 2의 배경": [2],
    "사진 2번": [2],
    "2번 사진": [2],
    "1번과 2번 사진": [1, 2],
    "1, 2번 사진": [1, 2],
    "1번 사진의 사람을 2번에 넣어줘": [1, 2],
    "두 번째 사진": [2],
    "두번째 그림": [2],
    "첫 번째 이미지": [1],
    "첫 사진": [1],
    "첫째 사진과 둘째 사진": [1, 2],
    "첫 번째와 두 번째 사진": [1, 2],
    "첫 번째 사진의 사람을 두 번째에 넣어줘": [1, 2],
    "1번 사진의 사람을 2번 배경에": [1, 2],
    "이미지 1에서 2번 사람을 지워줘": [1],
    "이미지(2)의": [2],
    "이미지 1을 이미지 2의 스타일로": [1, 2],
    "이미지 1과 2를 합쳐줘": [1, 2],
    "이미지 1~3": [1, 2, 3],
    "이미지 1부터 3까지": [1, 2, 3],
    "이미지 2도 흑백으로": [2],
    "두 사진 모두": [1, 2],
    "세 장의 사진": [1, 2, 3],
    "image 2를 연필 스케치로": [2],
    "图2": [2],
    "图片2": [2],
    "图像 2": [2],
    "图２": [2],
    "图①": [1],
    "圖2": [2],
    "圖片 2": [2],
    "照片2": [2],
    "参考图2的风格": [2],
    "图一和图二": [1, 2],
    "图1和2": [1, 2],
    "图1、2、3": [1, 2, 3],
    "图1到3": [1, 2, 3],
    "第二张图": [2],
    "第2张图片": [2],
    "第二張圖片": [2],
    "第一张和第二张图": [1, 2],
    "第二张的背景": [2],
    "把第二张放到第一张里": [2, 1],
    "图【2】": [2],
    "2号图": [2],
    "两张图": [1, 2],
    "兩張圖片": [1, 2],
    "前两张图": [1, 2],
    "画像2": [2],
    "画像 2": [2],
    "画像２": [2],
    "写真2": [2],
    "画像1と2": [1, 2],
    "画像1と画像2": [1, 2],
    "画像1〜3": [1, 2, 3],
    "２枚目の画像": [2],
    "2枚目の背景": [2],
    "二番目の画像": [2],
    "二つ目の写真": [2],
    "ふたつ目の写真": [2],
    "1番目と2番目の画像": [1, 2],
    "1枚目の人物を2枚目に": [1, 2],
    "1番目の画像の人物を2番目の背景に": [1, 2],
    "画像1から3まで": [1, 2, 3],
    "最初の画像": [1],
    "最初の2枚の画像": [1, 2],
    "両方の画像": [1, 2],
    "색감만 2번처럼": [2],
    "double exposure of 1 and 2": [1, 2],
    "combine 1, 2 and 3": [1, 2, 3],
    "两张都变成素描": [1, 2],
}
NOT_NAMED = [
    "large softboxes on both sides",
    "a choice of 1 and 2 cats",
    "2번 반복해줘",
    "2 images of cats",
    "add a second picture on the wall",
    "every second image",
    "the second picture frame on the wall",
    "image 1200 x 800",
    "1200 x 800",
    "image 16:9",
    "image 2.5",
    "image 1,200 px",
    "image 50%",
    "image 3D",
    "photo 2024",
    "rotate the image 90 degrees",
    "make the image 2x larger",
    "make the image 2 times larger",
    "picture 3 people in a park",
    "picture two cats in a garden",
    "version 2",
    "3 people on the second floor",
    "the twenty-second image",
    "imagine 2",
    "Edit the image\n2. Add a hat",
    'Add the text "Photo 2 of the day"',
    "「写真2の日」と書く",
    "사진 2장",
    "사진 3명",
    "그림 2 개를 걸어줘",
    "이미지 90도 회전",
    "모두 사진처럼",
    "사진을 2배로",
    "图片2张",
    "图 3 个人",
    "和图一样",
    "把图一起放大",
    "地图2",
    "构图三分法",
    "第二张桌子",
    "第二张脸",
    "墙上挂两张图",
    "画像2枚",
    "写真2人",
    "画像一覧",
    "画像を2倍に",
]
# Wordings for one picture each that have a form for every number.
FORMS = {
    "image {}": "123",
    "Image #{}": "123",
    "IMAGE{}": "123",
    "photo {},": "123",
    "picture {}.": ("one", "two", "three"),
    "the {} image": ("first", "second", "third"),
    "{} picture": ("First", "Second", "Third"),
    "the {} photo": ("1st", "2nd", "3rd"),
    "이미지 {}의": "123",
    "이미지 {} 바꿔줘": ("1을", "2를", "3을"),
    "이미지{} 옮겨줘": ("1로", "2로", "3으로"),
    "사진 {} 합쳐줘": ("1과", "2와", "3과"),
    "{}번 사진": "123",
    "{} 사진": ("첫 번째", "두 번째", "세 번째"),
    "{} 이미지를": ("첫번째", "두번째", "세번째"),
    "图{}的": "123",
    "图片 {}，": "１２３",
    "图{}，": "一二三",
    "圖{}，": "①②③",
    "第{}张图": "一二三",
    "画像{}の": "123",
    "画像{}、": "１２３",
    "{}枚目の画像": "１２３",
    "{}つ目の写真": "一二三",
}
FILLERS = ["turn", "合成", "바꿔줘", "して", "a hat,", "2 cats", "“text 1”", "\n", "90°", "，", "("]


@pytest.mark.parametrize("prompt", NAMED)
def test_a_picture_is_named_in_many_ways(prompt: str) -> None:
    assert [mention.number for mention in mentions(prompt)] == NAMED[prompt]
    assert [mention.number for mention in mentions(f"A photo. {prompt}")] == NAMED[prompt]


@pytest.mark.parametrize("prompt", NOT_NAMED)
def test_a_count_or_a_size_names_no_picture(prompt: str) -> None:
    assert mentions(prompt) == ()


@pytest.mark.parametrize(
    ("prompt", "swapped"),
    [
        ("the cat of image 1 on the sofa of image 2", "the cat of image 2 on the sofa of image 1"),
        ("First photo, second photo", "Second photo, first photo"),
        ("images 1 and 3", "images 2 and 3"),
        ("both images", "both images"),
        ("images 1-2", "images 1-2"),
        ("images 1-3", "images 1-3"),
        ("images 2-3", "images 1, 3"),
        ("the first two pictures", "the first two pictures"),
        ("이미지 1을 이미지 2의 스타일로", "이미지 2를 이미지 1의 스타일로"),
        ("이미지 1과 2를", "이미지 2와 1을"),
        ("첫 사진", "두 번째 사진"),
        ("2번 사진은", "1번 사진은"),
        ("图一和第２张图", "图二和第１张图"),
        ("最初の画像", "2番目の画像"),
        ("１枚目の画像", "２枚目の画像"),
        ('"Image 1 of many" on image 1', '"Image 1 of many" on image 2'),
    ],
)
def test_a_swap_keeps_the_wording(prompt: str, swapped: str) -> None:
    assert renumber(prompt, SWAP) == swapped


def test_words_for_the_first_two_become_a_list_where_they_have_to() -> None:
    turn = {1: 2, 2: 3, 3: 1}
    assert renumber("Join the first two pictures", turn) == "Join pictures 2 and 3"
    assert renumber("이미지 1부터 2까지", {2: 3, 3: 2}) == "이미지 1, 3"
    assert renumber("前两张图", {2: 3, 3: 2}) == "图1、3"


@st.composite
def prompts(draw: st.DrawFn) -> tuple[str, list[int]]:
    words, numbers = [], []
    for _ in range(draw(st.integers(0, 6))):
        form = draw(st.sampled_from(sorted(FORMS)))
        number = draw(st.integers(1, 3))
        words += [draw(st.sampled_from(FILLERS)), form.format(FORMS[form][number - 1])]
        numbers.append(number)
    return " ".join(words), numbers


@given(prompts(), st.permutations([1, 2, 3]))
def test_renumbering_and_back_is_the_same_text(given_prompt: tuple[str, list[int]], order: list[int]) -> None:
    prompt, numbers = given_prompt
    there = dict(enumerate(order, 1))
    changed = renumber(prompt, there)
    assert [mention.number for mention in mentions(prompt)] == numbers
    assert [mention.number for mention in mentions(changed)] == [there[number] for number in numbers]
    assert renumber(changed, {new: old for old, new in there.items()}) == prompt


def _around(prompt: str) -> list[str]:
    """What is between the mentions."""
    cuts = [0, *(place for m in dict.fromkeys((m.start, m.end) for m in mentions(prompt)) for place in m), None]
    return [prompt[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True)]


@given(prompts(), st.permutations([1, 2, 3]))
def test_nothing_but_the_mentions_changes(given_prompt: tuple[str, list[int]], order: list[int]) -> None:
    prompt, _ = given_prompt
    assert _around(renumber(prompt, dict(enumerate(order, 1)))) == _around(prompt)


@given(st.text(alphabet='image 123一二第张图枚目の画像이미지번째두첫,and-~"\n', max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    for mention in mentions(text):
        assert 0 <= mention.start < mention.end <= len(text)
    assert renumber(text, {}) == text


# Pieces of every script that the module reads, alone and as they follow each other in lists and quotes.
PIECES = [
    "image 1, ", "images 1 and 2 and ", "first and ", "the first, second and ", "the ", "all of the ", "picture ",
    "이미지 1, ", "1번과 ", "1，", "1과", "１과", "첫 번째와 ", "두 ", "사진 ", "모든 ", "이미지 1부터 ",
    "图1、", "1、", "第一张和", "第1张", "两张", "所有", "图一和",
    "画像1と", "1枚目と", "ひとつ目と", "最初の", "両方の", "画像1から",
    "1,", "1", "①", " ", "\t", "\n", "#", "“", '"', "「", "『", "《", "《》", "“1”", "(", "-", "~",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_reading_time_grows_with_the_length_only(piece: str) -> None:
    """Eight times the text takes about eight times the time; were it quadratic, it would take 64 times."""

    def cost(text: str) -> float:
        start = time.process_time()
        mentions(text)
        names_any(text)
        renumber(text, SWAP)
        language_of(text)
        return time.process_time() - start

    short, long = ((piece * READ_MAX)[:size] for size in (READ_MAX // 8, READ_MAX))
    least = {short: math.inf, long: math.inf}
    for _ in range(20):
        # Anything else on the machine only adds to a measurement, so the least of several is the truest.
        least = {text: min(known, cost(text)) for text, known in least.items()}
        if least[long] < 20 * least[short]:
            break
    assert least[long] < 20 * least[short]


@pytest.mark.parametrize(
    ("prompt", "images", "missing", "unnamed"),
    [
        ("Make it a sketch", 1, (), ()),
        ("Make it a sketch", 2, (), (2,)),
        ("Turn image 2 into a sketch", 1, (2,), (1,)),
        ("image 1 like image 4", 3, (4,), (2, 3)),
        ("Join all the pictures", 3, (), ()),
        ("두 사진을 합쳐줘", 2, (), ()),
        ("  ", 2, (), ()),
    ],
)
def test_a_prompt_and_its_pictures_are_compared(
    prompt: str, images: int, missing: tuple[int, ...], unnamed: tuple[int, ...]
) -> None:
    assert mismatch(prompt, images) == Mismatch(missing, unnamed)


@pytest.mark.parametrize("prompt", ["all images", "모든 사진", "所有图片", "全部の画像", "画像2枚", "both of them"])
def test_words_for_all_the_pictures_are_found(prompt: str) -> None:
    assert all_pictures(f"{prompt}, ") == ((0, len(prompt)),)


def test_the_whole_wording_is_found_with_its_noun() -> None:
    prompt = "the cat of images 1 and 2"
    assert [prompt[slice(*mention.words)] for mention in mentions(prompt)] == ["images 1 and 2"] * 2


@pytest.mark.parametrize(
    ("prompt", "language"),
    [
        ("a cat", "en"),
        ("", "en"),
        ("이미지 1을 漢字처럼", "ko"),
        ("画像1を水彩画に", "ja"),
        ("把图1变成水彩画", "zh"),
        ("Add the text “안녕” to image 1", "en"),
        ("사진에 「さくら」를 써줘", "ko"),
    ],
)
def test_the_language_is_told_by_the_script(prompt: str, language: str) -> None:
    assert language_of(prompt) == language
