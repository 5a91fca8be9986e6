"""What the reader makes of what people write."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_sandbox.preview import OPERATIONS, Plan, read
from wan_sandbox.preview.lexer import tokens
from wan_sandbox.preview.vocabulary import OPERATION_ROWS


def plan(prompt: str, images: int = 2, negative_prompt: str = "") -> Plan:
    return read(prompt, images=images, negative_prompt=negative_prompt, prompt_extend=False)


def said(prompt: str, images: int = 2, negative_prompt: str = "") -> str:
    """Write a plan in short: "watercolour@1 slight, colours_of@1 source=2"."""
    words = []
    for operation in plan(prompt, images, negative_prompt).operations:
        target = "" if operation.image is None else f"@{operation.image}"
        strength = "" if operation.strength == "normal" else f" {operation.strength}"
        details = "".join(f" {name}={value}" for name, value in operation.parameters.items())
        words.append(f"{operation.op}{target}{strength}{details}")
    return ", ".join(words)


UNDERSTOOD = [
    # looks
    ("turn image 1 into a pencil sketch", "pencil_sketch@1"),
    ("Turn IMAGE 1 into a Pencil-Sketch, please!", "pencil_sketch@1"),
    ("make it look like an ink drawing", "ink@1"),
    ("as a watercolor painting", "watercolour@1"),
    ("paint it in oils", "oil_painting@1"),
    ("make the portrait a comic book page", "comic@1"),
    ("8-bit pixel art", "pixel_art@1"),
    ("black & white", "black_and_white@1"),
    ("film noir", "noir@1"),
    ("turn day into night", "night@1"),
    ("make it look like it's raining", "rain@1"),
    ("can you make it snow?", "snow@1"),
    ("make the city foggy", "fog@1"),
    ("an Andy Warhol style screen print", "pop_art@1"),
    ("VHS glitch effect", "glitch@1"),
    ("이미지 1을 연필 스케치로 바꿔줘", "pencil_sketch@1"),
    ("이미지1을연필스케치로바꿔줘", "pencil_sketch@1"),
    ("수채화 느낌으로 그려주세요", "watercolour@1"),
    ("이 사진을 유화로", "oil_painting@1"),
    ("사진을 픽셀아트로 바꿔주세요", "pixel_art@1"),
    ("고양이를 수채화로 바꿔줘", "watercolour@1"),
    ("8비트 게임처럼", "pixel_art@1"),
    ("연필로 그린 것처럼 해줘", "pencil_sketch@1"),
    ("turn the person in image 1 into a cartoon", "comic@1"),
    ("make my dog look like a pixel art character", "pixel_art@1"),
    ("oil painting, thick brush strokes, no text, 8k, masterpiece", "oil_painting@1"),
    ('"turn image 1 into a watercolour"', "watercolour@1"),
    ("노을 지는 느낌으로", "golden_hour@1"),
    ("비 오는 날처럼", "rain@1"),
    # as people type
    ("sketch pls", "pencil_sketch@1"),
    ("pencil sketch pls 🙏", "pencil_sketch@1"),
    ("scketch", "pencil_sketch@1"),
    ("waterclor painting", "watercolour@1"),
    ("make it a water color painting plz", "watercolour@1"),
    ("black n white", "black_and_white@1"),
    ("make it b/w", "black_and_white@1"),
    ("같은 느낌으로 흑백", "black_and_white@1"),
    ("이사진을유화로바꿔줘", "oil_painting@1"),
    ("팝아트로 ㄱㄱ", "pop_art@1"),
    ("만화처럼 해줘ㅋㅋ", "comic@1"),
    ("밤으로 바꿔줘 🌙", "night@1"),
    ("anime style", "comic@1"),
    ("cartoonify me", "comic@1"),
    ("in the style of Van Gogh", "oil_painting@1"),
    ("반 고흐 그림처럼", "oil_painting@1"),
    ("make my cat a watercolor", "watercolour@1"),
    ("gameboy style", "pixel_art@1"),
    ("make it look old", "vintage_film@1"),
    ("cinematic and moody", "more_contrast@1, darker@1"),
    ("너무 어두워요 밝게 해주세요", "brighter@1"),
    ("파랗게", "tint@1 colour=blue"),
    ("teal and orange", "duotone@1 colours=['teal', 'orange']"),
    ("a bit less saturated, tad warmer", "less_saturated@1 slight, warmer@1 slight"),
    ("색감만 2번처럼", "colours_of@1 source=2"),
    ("double exposure of 1 and 2", "double_exposure images=[1, 2]"),
    ("이미지1 수채화 풍으로, 배경은 이미지2", "watercolour@1, background@1 source=2"),
    # of no named kind: what comes closest
    ("draw it", "pencil_sketch@1"),
    ("일러스트로", "comic@1"),
    ("그림으로 바꿔줘", "oil_painting@1"),
    # in the picture's own colours
    ("pencil sketch but keep the colors", "pencil_sketch@1 in_colour=True"),
    ("색연필 그림", "pencil_sketch@1 in_colour=True"),
    ("ink drawing in colour", "ink@1 in_colour=True"),
    ("invert colors", "invert@1"),
    # adjustments
    ("increase brightness by 20%", "brighter@1"),
    ("less dark", "brighter@1"),
    ("색을 반전해줘", "invert@1"),
    ("좌우 반전해줘", "mirror@1"),
    ("warmer", "warmer@1"),
    ("increase the saturation", "more_saturated@1"),
    ("less contrast", "less_contrast@1"),
    ("less blurry", "sharpen@1"),
    ("flip it horizontally", "mirror@1"),
    ("make it blue", "tint@1 colour=blue"),
    ("파란색 톤으로", "tint@1 colour=blue"),
    ("duotone in blue and orange", "duotone@1 colours=['blue', 'orange']"),
    ("pink duotone", "duotone@1 colours=['pink']"),
    ("더 따뜻하고 화사하게", "warmer@1, brighter@1"),
    # strengths
    ("make it slightly darker", "darker@1 slight"),
    ("darken it a bit", "darker@1 slight"),
    ("much more contrast", "more_contrast@1 strong"),
    ("boost the contrast a lot", "more_contrast@1 strong"),
    ("조금 더 어둡게", "darker@1 slight"),
    ("아주 밝고 선명하게", "brighter@1 strong, sharpen@1"),
    ("네온 느낌으로 강하게", "neon@1 strong"),
    # several clauses, in their order
    ("noir and rain", "noir@1, rain@1"),
    ("Rain, then film noir", "rain@1, noir@1"),
    ("흑백으로, 조금 더 어둡게", "black_and_white@1, darker@1 slight"),
    ("비가 오는 느와르 영화 느낌으로", "rain@1, noir@1"),
    ("눈이 내리는 밤 풍경으로 바꿔줘", "snow@1, night@1"),
    ("make the first photo look like a comic book, then darken it slightly", "comic@1, darker@1 slight"),
    ("I'd like a vintage film look with grain and a vignette", "vintage_film@1, grain@1, vignette@1"),
    # ordinals
    ("make the second picture sepia", "sepia@2"),
    ("두 번째 사진을 만화풍으로", "comic@2"),
    ("2번 이미지를 만화로", "comic@2"),
    ("turn image 2 into a sketch and make it darker", "pencil_sketch@2, darker@2"),
    ("mirror image 2", "mirror@2"),
    # negation
    ("Make image 1 look like an oil painting at golden hour, keep the cat", "oil_painting@1, golden_hour@1"),
    ("without rain, very dark", "darker@1 strong"),
    ("no rain, no fog, just a bit warmer", "warmer@1 slight"),
    ("make the picture warmer but not darker", "warmer@1"),
    ("without changing the face, turn image 1 into watercolour", "watercolour@1"),
    ("do not turn it into a cartoon, make it an oil painting instead", "oil_painting@1"),
    ("instead of watercolour use ink", "ink@1"),
    ("유화 말고 수채화로 바꿔줘", "watercolour@1"),
    ("너무 어둡지 않게 따뜻하게", "warmer@1"),
    ("전체적으로 따뜻하게, 배경은 그대로 두고", "warmer@1"),
    ("색감은 유지하고 만화로", "comic@1"),
    # another picture's colours
    ("이미지 2의 색감을 이미지 1에 적용해줘", "colours_of@1 source=2"),
    ("첫 번째 사진을 두 번째 사진의 색감으로 바꿔줘", "colours_of@1 source=2"),
    ("apply image 2's palette to image 1", "colours_of@1 source=2"),
    ("give image 2 the colours of image 1", "colours_of@2 source=1"),
    ("match the colours of image 1 to image 2", "colours_of@1 source=2"),
    ("make image 1's colours match image 2", "colours_of@1 source=2"),
    ("make the colours of image 1 like image 2", "colours_of@1 source=2"),
    ("use image 2 as a colour reference for image 1", "colours_of@1 source=2"),
    # what is painted is painted in the colours it is given
    ("watercolour with the colours of image 2", "colours_of@1 source=2, watercolour@1"),
    ("noir with the colours of image 2", "noir@1, colours_of@1 source=2"),
    # compositions
    ("put image 1 and image 2 side by side", "side_by_side images=[1, 2]"),
    ("image 2 next to image 1", "side_by_side images=[2, 1]"),
    ("put image 2 to the left of image 1", "side_by_side images=[2, 1]"),
    ("image 1 on the right and image 2 on the left", "side_by_side images=[2, 1]"),
    ("이미지 1은 왼쪽에, 이미지 2는 오른쪽에 놓아줘", "side_by_side images=[1, 2]"),
    ("combine images 1 and 2", "side_by_side images=[1, 2]"),
    ("이미지 1과 이미지 2를 합쳐줘", "side_by_side images=[1, 2]"),
    ("both images in pencil, side by side", "pencil_sketch@1, pencil_sketch@2, side_by_side images=[1, 2]"),
    ("두 이미지를 반반으로 나눠줘", "split images=[1, 2]"),
    ("merge image 1 with image 2", "double_exposure images=[1, 2]"),
    ("triptych", "triptych images=[1, 2]"),
    ("image 2 in the top left corner of image 1", "inset@1 source=2 corner=top_left"),
    ("이미지 1 구석에 이미지 2를 작게 넣어줘", "inset@1 source=2 corner=bottom_right"),
    ("use image 2 as the background", "background@1 source=2"),
    ("use the first image as the subject and the second as background", "background@1 source=2"),
    ("이미지 2를 배경으로 쓰고 이미지 1을 앞에 놓아줘", "background@1 source=2"),
    ("replace the background of image 1 with image 2", "background@1 source=2"),
    ("이미지 1의 배경을 이미지 2로 바꿔줘", "background@1 source=2"),
    ("이미지 2를 이미지 1의 배경으로 사용해줘", "background@1 source=2"),
    # several pictures named: they are shown together
    (
        "turn image 1 into a pencil sketch and image 2 into watercolour",
        "pencil_sketch@1, watercolour@2, side_by_side images=[1, 2]",
    ),
    ("make image 1 darker and image 2 brighter", "darker@1, brighter@2, side_by_side images=[1, 2]"),
]


@pytest.mark.parametrize(("prompt", "expected"), UNDERSTOOD)
def test_it_understands(prompt: str, expected: str) -> None:
    assert said(prompt) == expected
    assert plan(prompt).not_understood == ()


def test_three_pictures_and_one_behind_them() -> None:
    prompt = "put image 1 and 2 side by side with image 3 as the background"
    assert said(prompt, images=3) == "side_by_side images=[1, 2], background source=3"
    assert said("이미지 3, 이미지 1, 이미지 2를 나란히", images=3) == "side_by_side images=[3, 1, 2]"
    assert said("collage of all images", images=3) == "side_by_side images=[1, 2, 3]"


NOT_POSSIBLE = [
    ("add a hat", "", "add a hat"),
    ("make her smile", "", "make her smile"),
    ("make it a bit warmer and remove the man", "warmer@1 slight", "remove the man"),
    ("turn the cat into a dog", "", "turn the cat into a dog"),
    ("make the car red", "", "make the car red"),
    ("change her dress to blue", "", "change her dress to blue"),
    ("make the sky darker", "", "make the sky darker"),
    ("blur the background", "", "blur the background"),
    ("turn the background into a watercolour", "", "turn the background into a watercolour"),
    ("replace the sky with a sunset", "", "replace the sky with a sunset"),
    ("remove the fog", "", "remove the fog"),
    ("blur the background of image 1", "", "blur the background of image 1"),
    ("dramatic lighting", "", "dramatic lighting"),
    ("change the colours", "", "change the colours"),
    ("only the cat in black and white", "", "only the cat in black and white"),
    ("make image 1 look like image 2", "side_by_side images=[1, 2]", "make image 1 look like image 2"),
    ("a Studio Ghibli anime", "comic@1", "a Studio Ghibli"),
    ("add snow on the roof", "snow@1", "on the roof"),
    ("make it a rainy night in Tokyo", "rain@1, night@1", "in Tokyo"),
    ("배경은 유지하고 사람만 흑백으로", "", "사람만 흑백으로"),
    ("이미지 2 느낌으로 바꿔줘", "", "이미지 2 느낌으로 바꿔줘"),
    ("안개를 제거해줘", "", "안개를 제거해줘"),
    ("a watercolour of a dragon", "watercolour@1", "of a dragon"),
    ("a pencil sketch with a hat", "pencil_sketch@1", "a hat"),
    ("watercolour without people", "watercolour@1", "without people"),
    ("make image 3 darker", "", "make image 3 darker"),
    ("image 1 in the style of image 2", "side_by_side images=[1, 2]", "image 1 in the style of image 2"),
    ("make it look like a Studio movie poster", "", "make it look like a Studio movie poster"),
    ("Studio Ghibli style", "", "Studio Ghibli style"),
    ("3D render", "", "3D render"),
    ("remove background", "", "remove background"),
    ("cyberpunk city at night", "neon@1, night@1", "city"),
    ("restore this old photo", "", "restore this old photo"),
    ("colorize this black and white photo", "", "colorize this black and white photo"),
    ("sepia but keep the colours", "sepia@1", "keep the colours"),
    ("HDR", "", "HDR"),
    ("감성적으로", "", "감성적으로"),
    ("가을 느낌", "", "가을 느낌"),
    ("모자를 씌워줘", "", "모자를 씌워줘"),
    ("그녀를 웃게 해줘", "", "그녀를 웃게 해줘"),
    ("하늘을 어둡게 해줘", "", "하늘을 어둡게 해줘"),
    ("사람을 지우고 흑백으로 바꿔줘", "black_and_white@1", "사람을 지우고"),
    ("고양이에게 모자를 씌우고 수채화로 그려줘", "watercolour@1", "고양이에게 모자를 씌우고"),
]


@pytest.mark.parametrize(("prompt", "understood", "phrase"), NOT_POSSIBLE)
def test_what_cannot_be_done_is_said_in_the_persons_own_words(prompt: str, understood: str, phrase: str) -> None:
    assert plan(prompt).not_understood == (phrase,)
    assert said(prompt) == (understood or f"neutral_grade@{2 if '이미지 2' in prompt else 1}")


@pytest.mark.parametrize(
    "prompt",
    [
        "a girl in a nightgown",
        "a glass of oil",
        "a Coldplay concert",
        "add sunglasses",
        "add rain boots",
        "a neon sign on the wall",
        "give her dark hair",
        "a warm smile",
        "a golden retriever",
        "her blue eyes",
        "an ink bottle",
        "add a snowman",
        'add text that says "night rain"',
        "비행기를 추가해줘",
        "눈을 크게 해줘",
        "밝은 미소를 넣어줘",
        "비밀스러운 상자",
        "먹는 모습",
        "a carton of milk",
        "Hazme un retrato",
    ],
)
def test_words_that_only_look_like_an_operation(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == (prompt,)


@pytest.mark.parametrize(
    "prompt", ["don't make it darker", "never blur it", "keep the colours", "흑백은 하지 마", "", "please", "고마워요"]
)
def test_nothing_asked_is_nothing_reported(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == ()


def test_the_negative_prompt_vetoes() -> None:
    assert said("watercolour, darker, with rain", negative_prompt="rain, too dark, blurry") == "watercolour@1"
    assert said("수채화로, 어둡게", negative_prompt="어두운 사진") == "watercolour@1"
    default = "low resolution, error, worst quality, low quality, deformed, extra fingers"
    assert said("watercolour", negative_prompt=default) == "watercolour@1"


@pytest.mark.parametrize(
    "prompt", ["side by side", "use image 2 as the background", "apply the colours of image 2", "split screen"]
)
def test_one_picture_is_not_enough_for_two(prompt: str) -> None:
    assert said(prompt, images=1) == "neutral_grade@1"
    assert plan(prompt, images=1).not_understood == (prompt,)


def test_magic_prompt_adds_a_polish_and_returns_the_prompt() -> None:
    bare = read("turn it into a pencil sketch.", images=1, prompt_extend=False)
    extended = read("turn it into a pencil sketch.", images=1)
    assert bare.prompt == "turn it into a pencil sketch."
    assert extended.prompt.startswith("turn it into a pencil sketch, ")
    assert [operation.op for operation in extended.operations] == ["pencil_sketch", "polish"]
    assert "빛" in read("수채화로", images=1).prompt


def test_the_plan_is_plain_json() -> None:
    assert plan("a slightly warm watercolour of image 2, make her smile").to_json() == {
        "engine": "local preview",
        "prompt": "a slightly warm watercolour of image 2, make her smile",
        "understood": [
            {"op": "warmer", "image": 2, "strength": "slight", "parameters": {}},
            {"op": "watercolour", "image": 2, "strength": "normal", "parameters": {}},
        ],
        "not_understood": ["make her smile"],
    }


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_can_be_asked_for_in_every_language(op: str) -> None:
    row = [row for row in OPERATION_ROWS if row.name == op][-1]
    endings = {"english": "", "korean": "게", "japanese": "て", "chinese": ""}
    english, korean, japanese, chinese = (
        getattr(row, language).split("|")[0].strip().replace("~", ending) for language, ending in endings.items()
    )
    prompts = [english, korean, japanese, chinese]
    if row.kind == "layout":
        prompts = [f"image 1 {english} image 2", f"이미지 1 {korean} 이미지 2"]
        prompts += [f"画像1と画像2を{japanese}", f"把图1和图2{chinese}"]
    if row.kind == "source":
        prompts = [f"image 1 {english} image 2", f"이미지 1을 이미지 2의 {korean}"]
        prompts += [f"画像1を画像2の{japanese}", f"把图1{chinese}图2"]
    for prompt in prompts:
        assert op in [operation.op for operation in plan(prompt).operations], prompt


def test_every_row_names_a_known_operation() -> None:
    assert {row.name for row in OPERATION_ROWS} == set(OPERATIONS)


PIECES = (
    "image 1;image 2;image 3;and;,;.;with;without;no;keep;the;colours of;hat;as the background;watercolour;very;into;"
    "side by side;slightly;darker;make;left;in the corner;이미지 1;이미지 2의;색감을;말고;유지하고;수채화로;배경;왼쪽"
)
WORDS = st.sampled_from(PIECES.split(";"))
UNSPACED_PIECES = (
    "画像1;2枚目を;画像2の;色で;背景;水彩画に;明るく;して;しないで;そのまま;は;の;を;帽子;はずして;雪;夜;少し;、;"
    "图1;第二张图;把;变成;色调;素描;不要;保持;暗;一点;降低;亮度;的;上;戴;在;，;和;左边;image 2;이미지 1;watercolour"
)
UNSPACED = st.sampled_from(UNSPACED_PIECES.split(";"))
PROMPTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(min_codepoint=0x3040, max_codepoint=0x9FFF), max_size=60),
    st.lists(WORDS, max_size=12).map(" ".join),
    st.lists(UNSPACED, max_size=16).map("".join),
)


@given(PROMPTS, st.integers(1, 3))
def test_any_text_gives_a_plan_that_can_be_drawn(prompt: str, images: int) -> None:
    for operation in plan(prompt, images).operations:
        named = [operation.image, operation.parameters.get("source"), *list_of(operation.parameters.get("images"))]
        assert operation.op in OPERATIONS
        assert all(image is None or image in range(1, images + 1) for image in named)
        assert operation.image is None or operation.image != operation.parameters.get("source")


@given(PROMPTS)
def test_the_words_of_a_text_follow_each_other(prompt: str) -> None:
    end = 0
    for token in tokens(prompt):
        assert end <= token.start < token.end <= len(prompt)
        end = token.end


@given(PROMPTS)
def test_what_is_reported_was_written(prompt: str) -> None:
    written = unicodedata.normalize("NFC", prompt)
    assert all(phrase and phrase in written for phrase in plan(prompt).not_understood)


@pytest.mark.parametrize("piece", ["の", "上", "から", "水", "て", "变成水彩画", "画像1と", "이미지 1과 ", "의"])
def test_a_text_of_any_length_is_read(piece: str) -> None:
    assert plan((piece * 2000)[:2000])


def list_of(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
