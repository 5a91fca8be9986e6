"""What the reader makes of Chinese."""

from __future__ import annotations

import pytest

from tests.preview.test_reader import plan, said
from wan_sandbox.preview import read

UNDERSTOOD = [
    ("把图1变成铅笔素描", "pencil_sketch@1"),
    ("给图1加点雪，天色再暗一点", "snow@1, darker@1 slight"),
    ("画面太冷了，暖一些", "warmer@1 slight"),
    ("把第一张图放在第二张图的右下角", "inset@2 source=1 corner=bottom_right"),
    ("让图1呈现图2的色调", "colours_of@1 source=2"),
    ("把圖1變成鉛筆素描", "pencil_sketch@1"),
    ("讓圖1呈現圖2的色調", "colours_of@1 source=2"),
    ("将图片1转换为水彩画", "watercolour@1"),
    ("把这张照片变成油画", "oil_painting@1"),
    ("变成水彩画风格", "watercolour@1"),
    ("水彩风", "watercolour@1"),
    ("把猫变成水彩画", "watercolour@1"),
    ("把图1中的猫变成卡通", "comic@1"),
    ("让我的狗看起来像像素画", "pixel_art@1"),
    ("漫画风格", "comic@1"),
    ("动漫风", "comic@1"),
    ("像素风", "pixel_art@1"),
    ("8位像素游戏", "pixel_art@1"),
    ("黑白照片", "black_and_white@1"),
    ("做成黑白的，稍微暗一点", "black_and_white@1, darker@1 slight"),
    ("怀旧风格", "vintage_film@1"),
    ("复古胶片感", "vintage_film@1"),
    ("老照片效果", "vintage_film@1"),
    ("黑色电影风格", "noir@1"),
    ("赛博朋克风", "neon@1"),
    ("霓虹效果，强烈一点", "neon@1"),
    ("变成夜晚", "night@1"),
    ("夜景", "night@1"),
    ("换成夜景", "night@1"),
    ("日落时分", "golden_hour@1"),
    ("加上雨", "rain@1"),
    ("下雨的夜晚", "rain@1, night@1"),
    ("下着雪的夜景", "snow@1, night@1"),
    ("下雪了", "snow@1"),
    ("变成雾天", "fog@1"),
    ("波普艺术", "pop_art@1"),
    ("马赛克效果", "mosaic@1"),
    ("蓝图", "blueprint@1"),
    ("故障艺术", "glitch@1"),
    ("水墨画", "ink@1"),
    ("彩铅画", "pencil_sketch@1 in_colour=True"),
    ("亮一点", "brighter@1 slight"),
    ("稍微亮一些", "brighter@1 slight"),
    ("非常暗", "darker@1 strong"),
    ("调亮一点，暖一点", "brighter@1 slight, warmer@1 slight"),
    ("提高亮度", "brighter@1"),
    ("降低一点亮度", "darker@1 slight"),
    ("把对比度稍微降低", "less_contrast@1 slight"),
    ("提高亮度降低对比度", "brighter@1, less_contrast@1"),
    ("增加对比度", "more_contrast@1"),
    ("更温暖", "warmer@1"),
    ("冷色调", "cooler@1"),
    ("饱和度低一点", "less_saturated@1"),
    ("颜色更鲜艳", "more_saturated@1"),
    ("锐化", "sharpen@1"),
    ("模糊一点", "blur@1 slight"),
    ("加暗角", "vignette@1"),
    ("加上胶片颗粒", "grain@1"),
    ("反相", "invert@1"),
    ("左右翻转", "mirror@1"),
    ("蓝色调", "tint@1 colour=blue"),
    ("变蓝", "tint@1 colour=blue"),
    ("红色和蓝色的双色调", "duotone@1 colours=['red', 'blue']"),
    ("粉色双色调", "duotone@1 colours=['pink']"),
    ("自然一点", "neutral_grade@1 slight"),
    ("更漂亮", "polish@1"),
    ("太暗了，调亮", "brighter@1"),
    ("把第二张图变成素描", "pencil_sketch@2"),
    ("第一张图片变成油画", "oil_painting@1"),
    ("把第2张照片变黑白", "black_and_white@2"),
    ("将图二变为卡通", "comic@2"),
    ("圖片2變成卡通", "comic@2"),
    ("不要水彩，要油画", "oil_painting@1"),
    ("不要变暗，暖一点", "warmer@1 slight"),
    ("不是水彩画而是油画", "oil_painting@1"),
    ("用油画代替水彩画", "oil_painting@1"),
    ("别太暗，暖一点", "warmer@1 slight"),
    ("保持背景不变，变成水彩画", "watercolour@1"),
    ("不改变人脸，变成水彩画", "watercolour@1"),
    ("保留颜色，变成铅笔素描", "pencil_sketch@1 in_colour=True"),
    ("没有雨，很暗", "darker@1 strong"),
    ("把图2的色调应用到图1", "colours_of@1 source=2"),
    ("使用图2的配色", "colours_of@1 source=2"),
    ("图1的色调和图2一样", "colours_of@1 source=2"),
    ("让图1的颜色匹配图2", "colours_of@1 source=2"),
    ("用图2的颜色画图1的水彩画", "colours_of@1 source=2, watercolour@1"),
    ("把图1和图2并排放", "side_by_side images=[1, 2]"),
    ("图1和2拼接", "side_by_side images=[1, 2]"),
    ("把两张图拼在一起", "side_by_side images=[1, 2]"),
    ("图1放左边，图2放右边", "side_by_side images=[1, 2]"),
    ("图2在左边，图1在右边", "side_by_side images=[2, 1]"),
    ("双重曝光图1和图2", "double_exposure images=[1, 2]"),
    ("把图1和图2融合", "double_exposure images=[1, 2]"),
    ("两张图各一半", "split images=[1, 2]"),
    ("三联画", "triptych images=[1, 2]"),
    ("把图2放在图1的左上角", "inset@1 source=2 corner=top_left"),
    ("把图2缩小放在图1的角落", "inset@1 source=2 corner=bottom_right"),
    ("把图2作为背景", "background@1 source=2"),
    ("把图1的背景换成图2", "background@1 source=2"),
    ("用图2替换图1的背景", "background@1 source=2"),
    ("把图2作为图1的背景", "background@1 source=2"),
    ("图1变成铅笔画，图2变成水彩", "pencil_sketch@1, watercolour@2, side_by_side images=[1, 2]"),
    ("让图1更暗，图2更亮", "darker@1, brighter@2, side_by_side images=[1, 2]"),
    ("把image 1变成水彩画", "watercolour@1"),
    ("make 图2 darker", "darker@2"),
    ("插画", "comic@1"),
    ("请帮我变成油画，谢谢", "oil_painting@1"),
    ("画一幅插画", "comic@1"),
    ("把圖片1換成黑白照片，稍微暗一點", "black_and_white@1, darker@1 slight"),
    ("復古膠片風格，加上顆粒", "vintage_film@1, grain@1"),
    ("霓虹燈效果", "neon@1"),
    ("雪景，非常亮", "snow@1, brighter@1 strong"),
    ("人物保持不变，背景换成图2", "background@1 source=2"),
    ("图2的背景", "background@1 source=2"),
    ("图片1 油画", "oil_painting@1"),
    ("画像1 油絵", "oil_painting@1"),
    ("油絵 画像1", "oil_painting@1"),
    ("画面整体偏蓝", "tint@1 colour=blue"),
    ("把它变成水彩，别改颜色", "watercolour@1"),
    ("以图2为背景", "background@1 source=2"),
    ("以图1为主体，图2为背景", "background@1 source=2"),
    ("图1在前，图2作为背景", "background@1 source=2"),
    ("水彩 watercolor 수채화", "watercolour@1"),
    ("making it 夜景, please", "night@1"),
    ("更清晰，不要太锐利", "sharpen@1"),
    ("先变黑白，再加暗角", "black_and_white@1, vignette@1"),
    ("两张都变成素描", "pencil_sketch@1, pencil_sketch@2, side_by_side images=[1, 2]"),
    ("减少模糊", "sharpen@1"),
]


@pytest.mark.parametrize(("prompt", "expected"), UNDERSTOOD)
def test_it_understands(prompt: str, expected: str) -> None:
    assert said(prompt) == expected
    assert plan(prompt).not_understood == ()


NOT_POSSIBLE = [
    ("给猫戴上帽子", "neutral_grade@1", "给猫戴上帽子"),
    ("给她戴上帽子，变成水彩画", "watercolour@1", "给她戴上帽子"),
    ("把猫变成狗", "neutral_grade@1", "把猫变成狗"),
    ("让她微笑", "neutral_grade@1", "让她微笑"),
    ("把车变成红色", "neutral_grade@1", "把车变成红色"),
    ("把裙子换成蓝色", "neutral_grade@1", "把裙子换成蓝色"),
    ("把天空变暗", "neutral_grade@1", "把天空变暗"),
    ("模糊背景", "neutral_grade@1", "模糊背景"),
    ("背景变成白色", "neutral_grade@1", "背景变成白色"),
    ("去掉雾", "neutral_grade@1", "去掉雾"),
    ("去除背景", "neutral_grade@1", "去除背景"),
    ("图2的风格", "neutral_grade@2", "图2的风格"),
    ("让图1像图2", "side_by_side images=[1, 2]", "让图1像图2"),
    ("用图2的风格画图1", "side_by_side images=[1, 2]", "用图2的风格画图1"),
    ("东京的雨夜", "rain@1, night@1", "东京"),
    ("东京夜景", "night@1", "东京"),
    ("戴着帽子的猫的水彩画", "neutral_grade@1", "戴着帽子的猫的水彩画"),
    ("宫崎骏动漫", "comic@1", "宫崎骏"),
    ("把图3变暗", "neutral_grade@1", "把图3变暗"),
    ("秋天的感觉", "neutral_grade@1", "秋天的感觉"),
    ("只把猫变成黑白", "neutral_grade@1", "只把猫变成黑白"),
    ("在屋顶加雪", "snow@1", "屋顶"),
    ("修复老照片", "neutral_grade@1", "修复老照片"),
    ("给黑白照片上色", "neutral_grade@1", "给黑白照片上色"),
    ("3D渲染", "neutral_grade@1", "3D渲染"),
    ("改变颜色", "neutral_grade@1", "改变颜色"),
    ("把人物去掉，变成黑白", "black_and_white@1", "把人物去掉"),
    ("卖萌的表情", "neutral_grade@1", "卖萌的表情"),
    ("夜晚的东京街头，下雨", "night@1, rain@1", "东京街头"),
    ("油画布", "neutral_grade@1", "油画布"),
    ("去除噪点", "neutral_grade@1", "去除噪点"),
    ("把雾减少", "neutral_grade@1", "把雾减少"),
]


@pytest.mark.parametrize(("prompt", "understood", "phrase"), NOT_POSSIBLE)
def test_what_cannot_be_done_is_said_in_the_persons_own_words(prompt: str, understood: str, phrase: str) -> None:
    assert plan(prompt).not_understood == (phrase,)
    assert said(prompt) == understood


@pytest.mark.parametrize(
    "prompt",
    [
        "添加一个雪人",
        "打一把雨伞",
        "红酒",
        "蓝眼睛",
        "霓虹灯牌",
        "铅笔盒",
        "白雪公主",
        "电影海报",
        "写着“雨夜”的牌子",
        "去滑雪",
        "夜市",
        "黄瓜",
        "和服",
        "上海的街道",
        "油画框",
        "蓝天",
        "暖气",
        "墨镜",
        "不错的表情",
        "素描本",
        "戴上墨鏡",
        "漫画家",
    ],
)
def test_words_that_only_look_like_an_operation(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == (prompt,)


@pytest.mark.parametrize("prompt", ["不要变暗", "不要模糊", "别加雨", "保持颜色", "谢谢", "请"])
def test_nothing_asked_is_nothing_reported(prompt: str) -> None:
    assert said(prompt) == "neutral_grade@1"
    assert plan(prompt).not_understood == ()


def test_the_negative_prompt_vetoes() -> None:
    assert said("水彩画，变暗，下雨", negative_prompt="雨，太暗，黑暗") == "watercolour@1"


def test_magic_prompt_speaks_the_same_language() -> None:
    assert "，光线" in read("变成水彩画。", images=1).prompt
