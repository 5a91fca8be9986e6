"""What the reader makes of Japanese."""

from __future__ import annotations

import pytest

from tests.preview.test_reader import plan, said
from wan_sandbox.preview import read

UNDERSTOOD = [
    ("画像1を水彩画に、画像2の色で", "colours_of@1 source=2, watercolour@1"),
    ("夜景に変えて", "night@1"),
    ("画像1を鉛筆スケッチにして", "pencil_sketch@1"),
    ("画像1を鉛筆画に変えてください", "pencil_sketch@1"),
    ("写真を油絵風にしてください", "oil_painting@1"),
    ("この写真を水彩画タッチで描いて", "watercolour@1"),
    ("猫を水彩画にして", "watercolour@1"),
    ("漫画風にお願いします", "comic@1"),
    ("アニメっぽくして", "comic@1"),
    ("アニメスタイルで", "comic@1"),
    ("ドット絵にして", "pixel_art@1"),
    ("8ビットゲームのように", "pixel_art@1"),
    ("白黒写真にして", "black_and_white@1"),
    ("モノクロで、少し暗く", "black_and_white@1, darker@1 slight"),
    ("セピア調に", "sepia@1"),
    ("フィルムノワール風にして", "noir@1"),
    ("ネオン風に強く", "neon@1 strong"),
    ("サイバーパンクな雰囲気で", "neon@1"),
    ("昔の写真みたいに", "vintage_film@1"),
    ("レトロなフィルム写真風に", "vintage_film@1"),
    ("夕暮れの雰囲気にして", "golden_hour@1"),
    ("雨を降らせて", "rain@1"),
    ("雨の夜にして", "rain@1, night@1"),
    ("雪が降っているようにして", "snow@1"),
    ("雪が降る夜景にして", "snow@1, night@1"),
    ("霧がかかったように", "fog@1"),
    ("ポップアート風", "pop_art@1"),
    ("モザイクアートにして", "mosaic@1"),
    ("青写真のように", "blueprint@1"),
    ("グリッチエフェクトをかけて", "glitch@1"),
    ("水墨画にして", "ink@1"),
    ("色鉛筆で描いたような絵", "pencil_sketch@1 in_colour=True"),
    ("もう少し明るくして", "brighter@1 slight"),
    ("少し明るく、かなり暖かく", "brighter@1 slight, warmer@1 strong"),
    ("とても鮮やかにして", "more_saturated@1 strong"),
    ("明るさを上げて", "brighter@1"),
    ("明るさを少し下げて", "darker@1 slight"),
    ("コントラストを少し弱めて", "less_contrast@1 slight"),
    ("コントラストを強くして", "more_contrast@1"),
    ("彩度を下げて", "less_saturated@1"),
    ("暗すぎるので明るくして", "brighter@1"),
    ("もっと暖かい感じに", "warmer@1"),
    ("冷たい色調で", "cooler@1"),
    ("シャープにして", "sharpen@1"),
    ("ぼかしてください", "blur@1"),
    ("周辺減光を加えて", "vignette@1"),
    ("粒子感を足して", "grain@1"),
    ("色を反転して", "invert@1"),
    ("左右反転して", "mirror@1"),
    ("青っぽくして", "tint@1 colour=blue"),
    ("赤と青のデュオトーンに", "duotone@1 colours=['red', 'blue']"),
    ("ピンクのデュオトーン", "duotone@1 colours=['pink']"),
    ("ティールとオレンジ", "duotone@1 colours=['teal', 'orange']"),
    ("自然な色合いに", "neutral_grade@1"),
    ("もっと美しくして", "polish@1"),
    ("1枚目の画像をセピアにして", "sepia@1"),
    ("２枚目の写真を漫画風に", "comic@2"),
    ("2枚目を白黒にして", "black_and_white@2"),
    ("最初の画像を油絵に", "oil_painting@1"),
    ("画像②を暗くして", "darker@2"),
    ("画像2を明るくして、暖かくして", "brighter@2, warmer@2"),
    ("画像2を明るくして暖かくして", "brighter@2, warmer@2"),
    ("水彩画ではなく油絵にして", "oil_painting@1"),
    ("暗くしないで、暖かくして", "warmer@1"),
    ("暗くしすぎないで暖かく", "warmer@1"),
    ("顔を変えずに水彩画にして", "watercolour@1"),
    ("背景はそのままで全体を暖かく", "warmer@1"),
    ("色はそのままで漫画風に", "comic@1"),
    ("色を残して鉛筆画に", "pencil_sketch@1 in_colour=True"),
    ("雨なしで、暗く", "darker@1"),
    ("画像2の色合いを画像1に適用して", "colours_of@1 source=2"),
    ("画像1を画像2の色に合わせて", "colours_of@1 source=2"),
    ("画像1の色を画像2のようにして", "colours_of@1 source=2"),
    ("画像2と同じ色にして", "colours_of@1 source=2"),
    ("画像1と画像2を並べて", "side_by_side images=[1, 2]"),
    ("画像1と2を並べて", "side_by_side images=[1, 2]"),
    ("画像1を左に、画像2を右に置いて", "side_by_side images=[1, 2]"),
    ("画像1と画像2を合成して", "side_by_side images=[1, 2]"),
    ("画像1と画像2を重ね合わせて", "double_exposure images=[1, 2]"),
    ("2枚の画像を半分ずつに分割して", "split images=[1, 2]"),
    ("両方の画像を鉛筆画にして、横並びにして", "pencil_sketch@1, pencil_sketch@2, side_by_side images=[1, 2]"),
    ("三連画にして", "triptych images=[1, 2]"),
    ("画像1の左上に画像2を小さく入れて", "inset@1 source=2 corner=top_left"),
    ("画像1の隅に画像2を小さく載せて", "inset@1 source=2 corner=bottom_right"),
    ("画像2を背景にして", "background@1 source=2"),
    ("画像1の背景を画像2に変えて", "background@1 source=2"),
    ("画像1の背景を画像2にして", "background@1 source=2"),
    ("画像2を画像1の背景に使って", "background@1 source=2"),
    ("画像1を鉛筆画に、画像2を水彩画に", "pencil_sketch@1, watercolour@2, side_by_side images=[1, 2]"),
    ("画像1を暗くして画像2を明るくして", "darker@1, brighter@2, side_by_side images=[1, 2]"),
    ("image 1を水彩画に", "watercolour@1"),
    ("watercolour風にして", "watercolour@1"),
    ("イラストにして", "comic@1"),
    ("絵にして", "oil_painting@1"),
    ("描いて", "pencil_sketch@1"),
    ("画像1を、もっと暗くしてください", "darker@1"),
    ("この写真をアニメ風のイラストにしてください！", "comic@1"),
    ("背景を画像2に差し替えて", "background@1 source=2"),
    ("人物はそのまま、背景を画像2にして", "background@1 source=2"),
    ("やわらかい光の水彩画", "blur@1, watercolour@1"),
    ("きれいな夕焼け", "polish@1, golden_hour@1"),
    ("色調を寒色に", "cooler@1"),
    ("全体的に青く", "tint@1 colour=blue"),
    ("二枚目を背景に、一枚目を手前に", "background@1 source=2"),
    ("コントラスト高め", "more_contrast@1"),
    ("明るめに", "brighter@1"),
    ("暗めで", "darker@1"),
    ("モノクロにしてからセピアに", "black_and_white@1, sepia@1"),
    ("ねこをすいさいがに", "watercolour@1"),
    ("もっとかっこよくして", "polish@1"),
    ("全部の画像を並べて", "side_by_side images=[1, 2]"),
    ("コントラストを下げて", "less_contrast@1"),
]


@pytest.mark.parametrize(("prompt", "expected"), UNDERSTOOD)
def test_it_understands(prompt: str, expected: str) -> None:
    assert said(prompt) == expected
    assert plan(prompt).not_understood == ()


NOT_POSSIBLE = [
    ("背景を白にして", "neutral_grade@1", "背景を白にして"),
    ("帽子をかぶせて", "neutral_grade@1", "帽子をかぶせて"),
    ("猫に帽子をかぶせて、水彩画にして", "watercolour@1", "猫に帽子をかぶせて"),
    ("猫に帽子をかぶせて水彩画にして", "watercolour@1", "猫に帽子をかぶせて"),
    ("帽子を追加して白黒にして", "black_and_white@1", "帽子を追加して"),
    ("女性を笑顔にして", "neutral_grade@1", "女性を笑顔にして"),
    ("笑わせて", "neutral_grade@1", "笑わせて"),
    ("空を暗くして", "neutral_grade@1", "空を暗くして"),
    ("背景をぼかして", "neutral_grade@1", "背景をぼかして"),
    ("人を消して白黒にして", "black_and_white@1", "人を消して"),
    ("霧を消して", "neutral_grade@1", "霧を消して"),
    ("画像2の画風で描いて", "neutral_grade@2", "画像2の画風で描いて"),
    ("画像2のような雰囲気にして", "neutral_grade@2", "画像2のような雰囲気にして"),
    ("東京の夜景にして", "night@1", "東京"),
    ("ジブリ風のアニメにして", "comic@1", "ジブリ"),
    ("帽子をかぶった猫の水彩画", "neutral_grade@1", "帽子をかぶった猫の水彩画"),
    ("猫だけ白黒に", "neutral_grade@1", "猫だけ白黒に"),
    ("車を赤くして", "neutral_grade@1", "車を赤くして"),
    ("画像3を暗くして", "neutral_grade@1", "画像3を暗くして"),
    ("秋の雰囲気に", "neutral_grade@1", "秋の雰囲気に"),
    ("屋根に雪を降らせて", "snow@1", "屋根"),
    ("帽子をはずして", "neutral_grade@1", "帽子をはずして"),
    ("背景を変えて", "neutral_grade@1", "背景を変えて"),
    ("映画のポスター風", "neutral_grade@1", "映画のポスター風"),
    ("青い目にして", "neutral_grade@1", "青い目にして"),
    ("水彩画のかわいい猫", "watercolour@1", "猫"),
    ("色を変えて", "neutral_grade@1", "色を変えて"),
    ("若く見せて", "neutral_grade@1", "若く見せて"),
    ("髪を金色にして", "neutral_grade@1", "髪を金色にして"),
    ("空を夕焼けに変えて", "neutral_grade@1", "空を夕焼けに変えて"),
    ("漫画の主人公みたいに", "comic@1", "主人公"),
    ("顔はそのままで、服を赤に", "neutral_grade@1", "服を赤に"),
    ("ノイズを減らして", "neutral_grade@1", "ノイズを減らして"),
    ("かわいくして", "neutral_grade@1", "かわいくして"),
]


@pytest.mark.parametrize(("prompt", "understood", "phrase"), NOT_POSSIBLE)
def test_what_cannot_be_done_is_said_in_the_persons_own_words(prompt: str, understood: str, phrase: str) -> None:
    assert plan(prompt).not_understood == (phrase,)
    assert said(prompt) == understood


@pytest.mark.parametrize(
    "prompt",
    [
        "雪だるまを追加して",
        "赤ちゃんを抱いて",
        "ペンギンを入れて",
        "「雨の夜」という文字を入れて",
        "夜空を加えて",
        "鉛筆立てを置いて",
        "ネオンサインを付けて",
        "インク瓶",
        "紅茶を入れて",
        "青空にして",
        "和風にして",
        "口紅を付けて",
        "漫画家の写真",
        "雨傘を持たせて",
        "明るい笑顔にして",
        "冷蔵庫",
        "上海の街",
        "夜行バス",
        "映画館",
        "絵の具",
    ],
)
def test_words_that_only_look_like_an_operation(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == (prompt,)


@pytest.mark.parametrize(
    "prompt",
    [
        "暗くしないで",
        "ぼかさないでください",
        "色はそのままで",
        "文字を消さないで",
        "ありがとうございます",
        "お願いします",
    ],
)
def test_nothing_asked_is_nothing_reported(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == ()


def test_the_negative_prompt_vetoes() -> None:
    assert said("水彩画に、暗く、雨も降らせて", negative_prompt="雨、暗い写真") == "watercolour@1"


def test_magic_prompt_speaks_the_same_language() -> None:
    assert "光、" in read("水彩画にして。", images=1).prompt
