"""Every word that the reader knows. To teach it another way of asking, add the phrase to its row.

Phrases are separated by `|`. A `~` at the end lets any ending follow (`darken~`: darkened; `어둡~`: 어둡게).
Without it the phrase stands alone in English, and takes the usual particles in Korean (수채화로, 수채화 느낌으로).
Japanese and Chinese are written without blanks: their phrases take the usual suffix (水彩画風, 水彩风), and particles
are words of their own. Chinese is written simplified; `TRADITIONAL` has the other form of its characters.
A space also matches a hyphen or nothing. Of two phrases that match in one place, the longer one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["look", "adjustment", "source", "layout"]
"""`look`: restyles all of a picture. `adjustment`: a small change, refused when aimed at a thing in it.
`source`: takes something from a second reference. `layout`: arranges several."""


@dataclass(frozen=True)
class Row:
    """Phrases in every language, and what they mean: an operation, or a part of speech with a value."""

    name: str
    english: str
    korean: str
    japanese: str = ""
    chinese: str = ""
    value: str | int = ""


@dataclass(frozen=True)
class OperationRow(Row):
    """Phrases that ask for an operation.

    `source` says how the reference that something is taken from is introduced, the surest way first:
    of (of, from, 의, の, 的), like (like, as, 처럼, のように, 一样), with (with, by, 로, で, 用),
    to (to, on, in, 에, に, 到), object (를, を, 把), bare (nothing), or last (whatever comes last).
    """

    kind: Kind = "look"
    parameters: Mapping[str, object] = field(default_factory=dict)
    source: tuple[str, ...] = ()


def _look(op: str, english: str, korean: str, japanese: str, chinese: str, **parameters: object) -> OperationRow:
    return OperationRow(op, english, korean, japanese, chinese, kind="look", parameters=parameters)


def _adjust(op: str, english: str, korean: str, japanese: str, chinese: str) -> OperationRow:
    return OperationRow(op, english, korean, japanese, chinese, kind="adjustment")


def _source(
    op: str, english: str, korean: str, japanese: str, chinese: str, *, source: str, **parameters: object
) -> OperationRow:
    return OperationRow(
        op, english, korean, japanese, chinese, kind="source", parameters=parameters, source=tuple(source.split())
    )


def _layout(op: str, english: str, korean: str, japanese: str, chinese: str, **parameters: object) -> OperationRow:
    return OperationRow(op, english, korean, japanese, chinese, kind="layout", parameters=parameters)


OPERATION_ROWS: tuple[OperationRow, ...] = (
    _look(
        "pencil_sketch",
        "pencil sketch~ | pencil drawing~ | pencil | pencils | pencil art | pencil portrait | graphite | "
        "graphite drawing | graphite sketch | sketch | sketched | sketches | sketchy | sketch drawing | "
        "charcoal | charcoal drawing | charcoal sketch | hand drawn sketch | line sketch",
        "연필 스케치 | 연필화 | 연필 그림 | 연필 드로잉 | 연필 소묘 | 연필 | 스케치 | 소묘 | 목탄화 | 목탄",
        "鉛筆スケッチ | 鉛筆画 | 鉛筆の絵 | 鉛筆デッサン | 鉛筆の素描 | 鉛筆 | 鉛筆描き | 鉛筆で描~ | "
        "スケッチ | スケッチ画 | デッサン | 素描 | 線画スケッチ | 木炭画 | 木炭デッサン | 下描き | "
        "手描きスケッチ",
        "铅笔素描 | 铅笔画 | 铅笔草图 | 铅笔速写 | 铅笔 | 铅笔手绘 | 素描 | 素描画 | 素描草图 | 速写 | "
        "草图 | 炭笔画 | 炭笔 | 炭笔素描 | 炭画 | 手绘草图 | 石墨画",
    ),
    _look(
        "pencil_sketch",
        "coloured pencil~ | colored pencil~ | colour pencil~ | color pencil~ | coloured sketch | colored sketch | "
        "crayon | crayons | crayon drawing~ | chalk drawing~ | pastel drawing~ | pastel sketch | oil pastel~ | "
        "soft pastels",
        "색연필 | 색연필화 | 색연필 그림 | 색연필 스케치 | 크레용 | 크레용 그림 | 크레파스 | 파스텔화 | 파스텔 그림",
        "色鉛筆 | 色鉛筆画 | 色鉛筆の絵 | 色鉛筆スケッチ | クレヨン | クレヨン画 | クレヨンの絵 | "
        "パステル画 | チョーク画 | オイルパステル | クレパス",
        "彩铅 | 彩铅画 | 彩色铅笔 | 彩色铅笔画 | 彩色素描 | 蜡笔 | 蜡笔画 | 粉笔画 | 粉彩画 | 色粉画 | "
        "油画棒 | 油画棒画",
        in_colour=True,
    ),
    _look(
        "ink",
        "ink | inked | inks | ink drawing~ | ink sketch~ | ink painting~ | ink art | ink illustration | "
        "ink wash~ | ink brush | brush ink | pen and ink | pen & ink | pen and ink drawing | pen drawing~ | "
        "line art | line drawing~ | line work | indian ink | india ink | sumi e | woodcut | linocut | "
        "engraving | colouring book~ | coloring book~ | colouring page | coloring page",
        "먹 | 먹물 | 잉크 | 잉크화 | 잉크 드로잉 | 펜화 | 펜 드로잉 | 펜 그림 | 수묵화 | 수묵 | 라인 아트 | "
        "선화 | 목판화 | 판화 | 컬러링북 | 색칠 공부 | 색칠 공부 도안",
        "インク画 | ペン画 | インク | インクの絵 | ペン | ペンとインク | ペンの線画 | ペンイラスト | 墨絵 | "
        "水墨画 | 水墨 | 墨 | 線画 | ラインアート | 木版画 | 版画 | 銅版画 | 塗り絵 | ぬりえ | 塗り絵の線画",
        "水墨画 | 水墨 | 水墨山水 | 国画 | 墨水画 | 墨水 | 钢笔画 | 钢笔素描 | 钢笔速写 | 钢笔 | 针管笔画 | "
        "线描 | 线描画 | 线稿 | 线条画 | 白描 | 木刻 | 木刻版画 | 版画 | 铜版画 | 涂色书 | 填色书 | 填色画",
    ),
    _look(
        "watercolour",
        "watercolour | watercolor | watercolours | watercolors | water colour | water color | "
        "watercolour painting~ | watercolor painting~ | water colour painting~ | water color painting~ | "
        "aquarelle | watercolour art | watercolor art | "
        "gouache",
        "수채화 | 수채 | 수채 물감 | 수채화 그림 | 워터컬러 | 과슈",
        "水彩画 | 水彩 | 水彩タッチ | 水彩イラスト | 水彩の絵 | 水彩絵の具 | 透明水彩 | ウォーターカラー | "
        "ガッシュ | すいさい画 | すいさいが",
        "水彩画 | 水彩 | 水彩插画 | 水彩手绘 | 水粉画 | 水粉 | 水彩颜料",
    ),
    _look(
        "oil_painting",
        "oil painting~ | oil painted | oil paint | oil paints | in oils | in oil | oil on canvas | "
        "oil portrait | impasto | impressionist | impressionist painting | impressionism | painting | "
        "painted | brush strokes | brushstrokes | acrylic painting | acrylics | van gogh~ | monet | renoir | "
        "rembrandt | renaissance painting | baroque painting",
        "유화 | 유채화 | 유화 그림 | 오일 페인팅 | 임파스토 | 인상파 | 인상주의 | "
        "아크릴화 | 붓 터치 | 고흐 | 반 고흐 | 고흐 그림 | 모네 | 렘브란트 | "
        "르네상스 그림 | 회화",
        "油絵 | 油彩画 | 油彩 | 油絵の具 | 油画 | オイルペイント | オイルペインティング | 印象派 | "
        "印象派の絵 | 印象派の絵画 | 厚塗り | アクリル画 | 筆のタッチ | 絵画 | ゴッホ | ゴッホの絵 | モネ | "
        "モネの絵 | ルノワール | レンブラント | レンブラントの絵 | ルネサンス絵画 | インパスト",
        "油画 | 油彩 | 油彩画 | 油画颜料 | 厚涂 | 印象派 | 印象派绘画 | 印象主义 | 丙烯画 | 笔触 | 梵高 | "
        "梵高画 | 莫奈 | 雷诺阿 | 伦勃朗 | 文艺复兴绘画 | 古典油画",
    ),
    _look(
        "comic",
        "comic | comics | comic book~ | comic style | comic strip | comic panel | cartoon | cartoons | "
        "cartoonish | cartoonize~ | cartoonise~ | manga | anime | graphic novel | cel shaded | "
        "cel shading | toon | cartoonify~ | comic book art | cartoon filter",
        "만화 | 만화책 | 만화 그림 | 코믹 | 코믹스 | 카툰 | 웹툰 | 망가 | 애니메이션 | 애니 | 그래픽 노블",
        "漫画 | マンガ | まんが | 漫画イラスト | コミック | コミックブック | アメコミ | アニメ | アニメ絵 | "
        "アニメイラスト | アニメーション | カートゥーン | セルアニメ | セル画 | セルシェーディング | "
        "グラフィックノベル | 劇画 | トゥーン | ウェブトゥーン",
        "漫画 | 漫画书 | 漫画插画 | 卡通 | 卡通画 | 卡通插画 | 动漫 | 动漫画 | 动画 | 动画片 | 日漫 | 美漫 | "
        "美式漫画 | 日式漫画 | 连环画 | 条漫 | 二次元 | 赛璐璐 | 赛璐珞 | 图像小说",
    ),
    _look(
        "pixel_art",
        "pixel art | pixel | pixels | pixelart | pixelate~ | pixellate~ | pixelize~ | 8 bit | eight bit | "
        "16 bit | retro game~ | retro video game~ | video game sprite | 8 bit game | game boy | "
        "minecraft",
        "픽셀 아트 | 픽셀 | 픽셀화 | 도트 | 도트 그림 | 도트 그래픽 | "
        "도트 아트 | 8비트 | 16비트 | 레트로 게임 | 게임보이 | 마인크래프트",
        "ドット絵 | ドット | ピクセルアート | ピクセル | ピクセル画 | ピクセル化 | 8ビット | 16ビット | "
        "8ビットゲーム | レトロゲーム | ファミコン | ゲームボーイ | マインクラフト | マイクラ",
        "像素画 | 像素艺术 | 像素 | 像素化 | 像素图 | 像素游戏 | 点阵图 | 点阵画 | 8位 | 16位 | "
        "8位游戏 | 8比特 | 16比特 | 八位 | 复古游戏 | 红白机 | 我的世界",
    ),
    _look(
        "duotone",
        "duotone | duotones | duo tone | two tone | two tones | two colours | two colors | bichrome",
        "듀오톤 | 두 가지 색 | 두 색 | 투톤 | 이색 | 2색",
        "デュオトーン | ダブルトーン | ツートーン | ツートンカラー | ツートン | 二色刷り | 2色刷り | 2色 | "
        "二色 | 2色調 | 二色調",
        "双色调 | 双色 | 双色套印 | 两种颜色 | 两色 | 双色效果",
    ),
    _look(
        "sepia",
        "sepia | sepia tone~ | sepia toned | old brown photo | antique photo | daguerreotype",
        "세피아 | 세피아톤 | 세피아 색 | 갈색 톤 | 갈색조",
        "セピア | セピア色 | セピア調 | セピアトーン | 茶色がかった古い写真",
        "棕褐色调 | 棕褐色 | 复古棕 | 怀旧棕色 | 褐色调 | 深褐色调 | 泛黄老照片 | 泛黄 | 茶色调 | 棕色调",
    ),
    _look(
        "black_and_white",
        "black and white | black & white | black n white | black white | b&w | b & w | b n w | b w | "
        "monochrome | monochromatic | greyscale | "
        "grayscale | grey scale | gray scale | desaturate completely | remove the colour | "
        "remove the color | remove colour | remove color | remove all colour | remove all color | "
        "no colour | no color | without colour | without color",
        "흑백 | 흑백 사진 | 모노크롬 | 무채색 | 그레이스케일 | 색을 빼~ | 색을 없애~ | 색을 제거~",
        "白黒 | 白黒写真 | 黒白 | モノクロ | モノクロ写真 | モノクローム | モノトーン | グレースケール | "
        "無彩色 | 色をなく~ | 色を抜~ | 色を消~ | 色を取り除~",
        "黑白 | 黑白照片 | 黑白照 | 黑白色 | 单色 | 灰度 | 灰阶 | 灰度图 | 灰白 | 去色 | 去掉颜色 | "
        "去除颜色 | 去掉色彩 | 去除色彩",
    ),
    _look(
        "noir",
        "noir | film noir | noir film | noir movie | neo noir | noirish",
        "누아르 | 느와르 | 누아르 영화 | 느와르 영화 | 필름 누아르 | 필름 느와르 | 누와르",
        "フィルムノワール | ノワール | ノワール映画 | ノワール調 | ネオノワール | 暗黒映画",
        "黑色电影 | 新黑色电影 | 诺瓦",
    ),
    _look(
        "neon",
        "neon | neons | neon light | neon lights | neon glow | neon style | neon outline | neon outlines | "
        "neon colours | neon colors | synthwave | cyberpunk | tron | vaporwave",
        "네온 | 네온 사인 | 네온빛 | 네온 불빛 | 네온 라이트 | 사이버펑크 | 신스웨이브",
        "ネオン | ネオン風 | ネオンカラー | ネオンの光 | ネオンライト | サイバーパンク | シンセウェイブ | "
        "ヴェイパーウェイブ | ヴェイパーウェーブ | ネオン管",
        "霓虹 | 霓虹灯光 | 霓虹光 | 霓虹光效 | 霓虹色 | 霓虹灯效果 | 霓虹灯 | 赛博朋克 | 赛博庞克 | "
        "电驭叛客 | 蒸汽波 | 合成器浪潮",
    ),
    _look(
        "vintage_film",
        "vintage | vintage film | vintage photo~ | vintage picture | old film | old photo | "
        "old photograph | film look | analog | analogue | analog film | analogue film | analog photo | "
        "analogue photo | analog camera | analogue camera | film photo | film photograph~ | retro | "
        "retro photo~ | retro film | polaroid | kodak | kodachrome | lomo | lomography | 35mm | 35mm film | "
        "70s | 1970s | seventies | 80s film | faded photo | faded film | 1920s | 1930s | 1940s | 1950s | 1960s | "
        "50s | 60s | look old | looks old | look aged | aged | old fashioned | old timey | antique | "
        "disposable camera",
        "빈티지 | 복고풍 | 복고 | 빈티지 필름 | 빈티지 사진 | 필름 카메라 | 필름 사진 | 필름 감성 | "
        "필름 느낌 | 필름 룩 | 옛날 사진 | 오래된 사진 | 레트로 | 레트로 필름 | 아날로그 | 아날로그 필름 | "
        "폴라로이드 | 코닥 | 로모 | 옛날 | 옛날 느낌 | 옛날 감성 | 오래된 느낌 | "
        "일회용 카메라",
        "ビンテージ | ヴィンテージ | ビンテージフィルム | ヴィンテージフィルム | ビンテージ写真 | "
        "ヴィンテージ写真 | フィルム写真 | フィルムカメラ | フィルムルック | フィルム | レトロ | "
        "レトロ写真 | レトロフィルム | アナログ写真 | アナログフィルム | アナログ | ポラロイド | 古い写真 | "
        "昔の写真 | 古いフィルム | 懐かしい写真 | 懐かしい | 昭和 | 昭和レトロ | 写ルンです | "
        "使い捨てカメラ | コダック | ロモ | 色あせた写真 | 古写真 | 70年代 | 80年代 | 60年代 | 50年代 | "
        "1970年代 | 1980年代",
        "复古 | 复古胶片 | 复古照片 | 复古电影 | 老照片 | 旧照片 | 胶片 | 胶片相机 | 胶片摄影 | 胶片照片 | "
        "胶卷 | 菲林 | 怀旧 | 怀旧照片 | 老电影 | 旧时光 | 拍立得 | 宝丽来 | 柯达 | 底片相机 | 胶卷相机 | "
        "一次性相机 | 年代感 | 70年代 | 80年代 | 60年代 | 50年代 | 七十年代 | 八十年代 | 民国 | 老上海 | 做旧",
    ),
    _look(
        "night",
        "night | nighttime | night time | at night | night scene | midnight | nocturnal | nocturne | "
        "moonlit | moonlight | after dark | day for night | night mode",
        "밤 | 밤중 | 한밤 | 한밤중 | 야간 | 야경 | 밤 풍경 | 밤 장면 | 밤 시간 | 달빛 | 심야",
        "夜景 | 夜 | 夜中 | 夜間 | 真夜中 | 深夜 | 夜の風景 | 夜の景色 | 夜のシーン | 夜の雰囲気 | "
        "夜の時間 | 月明かり | 月夜 | ナイトシーン | 夜っぽ~",
        "夜景 | 夜晚 | 夜间 | 夜里 | 黑夜 | 深夜 | 午夜 | 半夜 | 晚上 | 夜色 | 夜 | 夜幕 | 月光 | 月夜 | "
        "月色 | 夜晚场景 | 白天变黑夜 | 白天变夜晚 | 白天变成夜晚 | 白天变成黑夜",
    ),
    _look(
        "golden_hour",
        "golden hour | golden hours | golden light | golden sunlight | golden glow | sunset | "
        "sunset light | sunset lighting | sunset colours | sunset colors | at sunset | sundown | dusk | "
        "sunrise | evening light | warm evening light | late afternoon | late afternoon light | "
        "magic hour",
        "골든 아워 | 골든아워 | 황금빛 | 황금 시간 | 황금 시간대 | 노을 | 노을빛 | 저녁노을 | 석양 | "
        "해질녘 | 해 질 녘 | 해 질 무렵 | 해질 무렵 | 일몰 | 일출 | 매직 아워",
        "夕暮れ | 夕暮れ時 | 夕焼け | 夕焼け空 | 夕日 | 夕陽 | 夕方 | 黄昏 | 日没 | 日の出 | 朝焼け | "
        "ゴールデンアワー | マジックアワー | 黄金色の光 | 西日",
        "黄金时刻 | 黄金时段 | 黄金时分 | 日落 | 日落时分 | 夕阳 | 夕阳西下 | 落日 | 黄昏 | 傍晚 | 日出 | "
        "晚霞 | 朝霞 | 余晖 | 金色阳光 | 金色的阳光 | 魔法时刻",
    ),
    _look(
        "snow",
        "snow | snowy | snowing | snowfall | snow falling | falling snow | snowflakes | snow flakes | "
        "snowstorm | blizzard | winter | wintry | in winter | winter scene",
        "눈이 오~ | 눈도 오~ | 눈도 내~ | 눈이 내~ | 눈 오~ | 눈 내~ | 눈이 펑펑 | 눈을 뿌~ | 눈을 내~ | "
        "눈송이 | 함박눈 | 눈보라 | 설경 | 눈발 | 겨울 | 겨울 풍경 | 눈 효과 | 눈 오는 날 | 눈 내리는 날 | "
        "눈이 오는 날 | 눈이 내리는 날",
        "雪 | 雪景色 | 雪が降~ | 雪の降~ | 雪を降~ | 雪も降~ | 雪を足~ | 雪の日 | 降雪 | 吹雪 | 雪の結晶 | "
        "粉雪 | 雪国 | 冬 | 冬景色 | 冬の風景 | 冬の景色 | 冬の日 | 冬のシーン | 大雪",
        "下雪 | 雪景 | 雪天 | 飘雪 | 雪花 | 雪 | 大雪 | 小雪 | 降雪 | 暴风雪 | 雪地 | 下雪天 | 下着雪 | "
        "下起雪 | 下大雪 | 冬天 | 冬季 | 冬日 | 冬景 | 飘着雪 | 雪花飘落",
    ),
    _look(
        "rain",
        "rain | rainy | raining | rainfall | rain falling | falling rain | raindrops | rain drops | "
        "rainstorm | downpour | rainy day | drizzle | drizzling",
        "비가 오~ | 비도 오~ | 비도 내~ | 비가 내~ | 비 오~ | 비 내~ | 비를 뿌~ | 비를 내~ | 빗방울 | "
        "빗줄기 | 소나기 | 폭우 | 장마 | 비 효과 | 비오는 날 | 비 오는 날 | 비가 오는 날 | 비 내리는 날 | "
        "비가 내리는 날 | 우천",
        "雨 | 雨が降~ | 雨の降~ | 雨を降~ | 雨も降~ | 雨を足~ | 雨の日 | 雨降り | 雨天 | 大雨 | 小雨 | "
        "豪雨 | 土砂降り | 雨粒 | 雨模様 | 夕立 | 梅雨 | 霧雨",
        "下雨 | 雨天 | 雨景 | 雨 | 下雨天 | 下着雨 | 下起雨 | 下大雨 | 雨中 | 大雨 | 小雨 | 暴雨 | 细雨 | "
        "毛毛雨 | 雨滴 | 雨水 | 雨丝 | 雷雨 | 倾盆大雨",
    ),
    _look(
        "fog",
        "fog | foggy | fogged | mist | misty | haze | hazy",
        "안개 | 안개가 낀 | 안개 낀 | 안개가 자욱~ | 안개 자욱~ | 물안개 | 뿌옇~ | 뿌연",
        "霧 | 霧がかか~ | 霧がかった | 霧のかか~ | 霧が立ち込め~ | 濃霧 | 朝霧 | 靄 | もや | 霞 | かすみ | 霧深~",
        "雾 | 大雾 | 浓雾 | 薄雾 | 雾气 | 起雾 | 有雾 | 雾霾 | 雾天 | 雾蒙蒙 | 晨雾 | 迷雾 | 雾气弥漫 | "
        "云雾 | 烟雾缭绕 | 雾景",
    ),
    _look(
        "pop_art",
        "pop art | popart | warhol | andy warhol | warhol style | lichtenstein | halftone | halftone dots | "
        "screen print | "
        "screenprint | silkscreen | silk screen",
        "팝아트 | 팝 아트 | 워홀 | 앤디 워홀 | 하프톤 | 망점 | 실크스크린",
        "ポップアート | ウォーホル | アンディ・ウォーホル | アンディウォーホル | リキテンスタイン | "
        "ハーフトーン | 網点 | シルクスクリーン | スクリーンプリント",
        "波普艺术 | 波普 | 安迪沃霍尔 | 安迪·沃霍尔 | 沃霍尔 | 半色调 | 网点 | 丝网印刷 | 丝网版画",
    ),
    _look(
        "mosaic",
        "mosaic | mosaics | mosaic tiles | tiled | tesserae | stained glass",
        "모자이크 | 모자이크 타일 | 타일 | 스테인드글라스",
        "モザイク | モザイクタイル | モザイク画 | モザイクアート | タイル画 | タイル | ステンドグラス",
        "马赛克 | 马赛克瓷砖 | 马赛克拼贴 | 镶嵌画 | 彩色玻璃 | 彩绘玻璃 | 花窗玻璃",
    ),
    _look(
        "blueprint",
        "blueprint | blueprints | blue print | cyanotype | technical drawing | architectural drawing",
        "청사진 | 설계도 | 도면 | 블루프린트 | 시아노타입",
        "青写真 | 設計図 | 図面 | ブループリント | サイアノタイプ | 製図",
        "蓝图 | 设计图 | 图纸 | 工程图 | 施工图 | 晒图 | 蓝晒 | 蓝晒法",
    ),
    _look(
        "glitch",
        "glitch | glitches | glitched | glitchy | glitch art | glitch effect | datamosh~ | databending | "
        "vhs | vhs tape | camcorder | 90s camcorder | corrupted | rgb split | chromatic aberration",
        "글리치 | 글리치 아트 | 글리치 효과 | 노이즈 화면 | 브이에이치에스 | 색수차 | 캠코더",
        "グリッチ | グリッチアート | グリッチエフェクト | グリッチ加工 | 色収差 | VHS | ビデオテープ | "
        "データモッシュ | ビデオカメラ",
        "故障艺术 | 故障效果 | 故障特效 | 故障 | 故障感 | 毛刺效果 | 色差 | 色散 | 录像带 | 录影带 | VHS | 信号干扰",
    ),
    _adjust(
        "brighter",
        "less dark | it's too dark | it is too dark | looks too dark | bright | brighter | brighten~ | "
        "brightness | more brightness | more light | lighter | "
        "lighten~ | increase the brightness | raise the brightness | higher brightness | exposure up | "
        "increase the exposure",
        "덜 어둡~ | 너무 어두워~ | 너무 어두운데~ | 밝~ | 환하~ | 환한 | "
        "화사하~ | 화사한 | 밝기 | 밝기를 높~ | 밝기를 올~ | "
        "노출을 높~ | 노출을 올~",
        "明る~ | 明るさ | 明るさを上げ~ | 明度 | 明度を上げ~ | 輝度 | 露出を上げ~ | 露光を上げ~ | 暗すぎ~ | "
        "暗いので | 暗いから | 光を足~ | ライトアップ",
        "亮 | 更亮 | 变亮 | 调亮 | 提亮 | 加亮 | 亮度 | 提高亮度 | 增加亮度 | 调高亮度 | 明亮 | "
        "增亮 | 提高曝光 | 增加曝光 | 太暗 | 太暗了 | 有点暗 | 有点暗了 | 过暗 | 偏暗 | 曝光不足",
    ),
    _adjust(
        "darker",
        "dark | darker | darken~ | moody | moodier | it's too bright | it is too bright | looks too bright | "
        "dim | dimmer | dimmed | less bright | less light | less brightness | "
        "low key | reduce the brightness | lower the brightness | decrease the brightness | "
        "lower brightness | exposure down",
        "너무 밝아~ | 너무 밝은데~ | 어둡~ | 어두~ | 어둑~ | "
        "밝기를 낮~ | 밝기를 줄~ | 노출을 낮~ | 노출을 줄~ | 덜 밝~",
        "暗~ | 薄暗~ | 明るすぎ~ | 明るさを下げ~ | 明度を下げ~ | 露出を下げ~ | ダーク | ムーディー | "
        "ローキー | 眩しすぎ~ | 暗め",
        "暗 | 更暗 | 变暗 | 调暗 | 压暗 | 加暗 | 昏暗 | 阴暗 | 黑暗 | 降低亮度 | 减少亮度 | 调低亮度 | "
        "降低曝光 | 减少曝光 | 太亮 | 太亮了 | 有点亮 | 过亮 | 过曝 | 暗调 | 低调光",
    ),
    _adjust(
        "more_contrast",
        "contrast | contrasty | more contrast | higher contrast | high contrast | increase the contrast | "
        "raise the contrast | boost the contrast | increase contrast | boost contrast | punchy | punchier | "
        "dramatic contrast | deeper shadows | dramatic | cinematic | movie look",
        "대비 | 대비를 높~ | 대비를 올~ | 대비를 강~ | 대비를 키~ | 높은 대비 | 강한 대비 | 콘트라스트 | "
        "콘트라스트를 높~ | 콘트라스트를 올~ | "
        "드라마틱~ | 시네마틱~ | 극적인 | 극적으로 | 영화처럼 | 영화 느낌 | 영화 같은",
        "コントラスト | 高コントラスト | ハイコントラスト | コントラストを上げ~ | コントラストを強~ | "
        "コントラストを高~ | メリハリ | ドラマチック | ドラマティック | 劇的 | シネマティック | "
        "シネマチック | 映画のよう~ | 映画みたい~ | 映画",
        "对比 | 对比度 | 高对比 | 高对比度 | 强对比 | 增强对比 | 提高对比 | 加强对比 | 增加对比 | "
        "增强对比度 | 提高对比度 | 增加对比度 | 加强对比度 | 反差 | 戏剧性 | 戏剧化 | 电影感 | 电影质感 | "
        "电影般 | 电影",
    ),
    _adjust(
        "less_contrast",
        "less contrast | lower contrast | low contrast | reduce the contrast | lower the contrast | "
        "decrease the contrast | reduce contrast | decrease contrast | flatter | softer contrast | matte",
        "대비를 낮~ | 대비를 줄~ | 낮은 대비 | 콘트라스트를 낮~ | 콘트라스트를 줄~ | 덜 대비",
        "低コントラスト | ローコントラスト | コントラストを下げ~ | コントラストを弱~ | コントラストを抑え~ | "
        "コントラストを低~ | マット | フラット",
        "低对比 | 低对比度 | 降低对比 | 降低对比度 | 减少对比 | 减少对比度 | 减弱对比 | 减弱对比度 | "
        "柔和对比 | 哑光 | 反差小",
    ),
    _adjust(
        "warmer",
        "warm | warmer | warmth | more warmth | warm tone~ | warm colours | warm colors | warm light | "
        "warm up | warmly | less cold | less cool | hotter | warmer tones | warmer colours | "
        "warmer colors",
        "덜 차갑~ | 따뜻~ | 따듯~ | 따스~ | 포근하~ | 포근한 | 난색 | 웜톤 | 웜 톤",
        "暖か~ | 温か~ | あたたか~ | 暖色 | 暖色系 | 暖色調 | 暖色寄り | 暖かみ | 温かみ | ウォーム | "
        "ウォームトーン | ぬくもり | 暖かい色 | 色温度を上げ~",
        "太冷 | 太冷了 | 偏冷了 | 暖 | 更暖 | 变暖 | 暖色 | 暖色调 | 暖调 | 暖色系 | 暖光 | "
        "温暖 | 偏暖 | 暖和 | 温馨 | 色温调高",
    ),
    _adjust(
        "cooler",
        "cool | cooler | cold | colder | chilly | icy | cool tone~ | cold tone~ | cool colours | "
        "cool colors | cold colours | cold colors | cold light | less warm | cool down | cooler tones | "
        "colder tones | cooler colours | cooler colors",
        "덜 따뜻~ | 차갑~ | 차가~ | 시원하~ | 시원한 | 서늘하~ | 서늘한 | 쿨톤 | 쿨 톤 | 한색",
        "冷た~ | 涼し~ | 寒色 | 寒色系 | 寒色調 | 寒色寄り | クール | クールトーン | 寒々~ | ひんやり | "
        "冷たい色 | 色温度を下げ~ | 寒そう~",
        "太暖 | 太暖了 | 偏暖了 | 冷 | 更冷 | 变冷 | 冷色 | 冷色调 | 冷调 | 冷色系 | 冷光 | "
        "偏冷 | 清冷 | 寒冷 | 冰冷 | 凉爽 | 色温调低",
    ),
    _adjust(
        "more_saturated",
        "saturated | more saturated | saturate | saturation | more saturation | increase the saturation | "
        "boost the saturation | raise the saturation | high saturation | vivid | more vivid | vividly | "
        "vibrant | more vibrant | vibrance | colourful | colorful | more colourful | more colorful | "
        "richer colours | richer colors | more colour | more color | vivid colours | vivid colors | "
        "vibrant colours | vibrant colors | pop | pops | make it pop",
        "채도 | 채도를 높~ | 채도를 올~ | 높은 채도 | 선명한 색 | 선명한 색감 | 색을 선명~ | 색감을 선명~ | "
        "색을 진하~ | 생생하~ | 생생한 | 화려하~ | 화려한 | 쨍하~ | 쨍한 | 비비드 | 비비드하~",
        "彩度 | 彩度を上げ~ | 彩度を高~ | 彩度を強~ | 高彩度 | 鮮やか~ | あざやか~ | 色鮮やか~ | ビビッド | "
        "ヴィヴィッド | カラフル | 色を濃~ | 色を鮮やか~ | 派手~ | 華やか~",
        "饱和度 | 饱和 | 高饱和 | 高饱和度 | 提高饱和度 | 增加饱和度 | 加强饱和度 | 增强饱和度 | 鲜艳 | "
        "色彩鲜艳 | 颜色鲜艳 | 艳丽 | 鲜亮 | 鲜明 | 绚丽 | 五彩缤纷 | 色彩丰富 | 浓郁 | 生动",
    ),
    _adjust(
        "less_saturated",
        "less saturated | less saturation | desaturated | desaturate | reduce the saturation | "
        "lower the saturation | decrease the saturation | low saturation | muted | muted colours | "
        "muted colors | muted tones | washed out | faded | faded colours | faded colors | pastel | "
        "pastels | pastel colours | pastel colors | paler | pale | less colourful | less colorful | "
        "less vivid | less vibrant",
        "채도를 낮~ | 채도를 줄~ | 낮은 채도 | 물 빠진 | 물빠진 | 파스텔 | 파스텔톤 | 파스텔 톤 | 바랜 | "
        "빛바랜 | 옅게 | 연하게 | 덜 화려~",
        "低彩度 | 彩度を下げ~ | 彩度を低~ | 彩度を抑え~ | 彩度を落と~ | くすん~ | くすみ | くすみカラー | "
        "色あせ~ | 色褪せ~ | パステル | パステルカラー | パステルトーン | 淡~ | 淡い色 | 色を薄~ | 薄い色",
        "低饱和 | 低饱和度 | 降低饱和度 | 减少饱和度 | 减弱饱和度 | 去饱和 | 褪色 | 莫兰迪 | 莫兰迪色 | "
        "淡雅 | 素雅 | 粉彩 | 马卡龙 | 马卡龙色 | 浅淡 | 颜色淡 | 色彩淡 | 暗淡",
    ),
    _adjust(
        "sharpen",
        "sharp | sharper | sharpen~ | sharpness | more sharpness | crisp | crisper | more detail | "
        "more details | enhance the details | clearer | in focus | unblur~ | deblur~ | less blurry | "
        "less blur | remove the blur | remove blur",
        "선명~ | 또렷~ | 샤프~ | 뚜렷~ | 날카롭~ | 흐림 제거 | 디테일을 살~",
        "シャープ | シャープネス | くっきり | はっきり | 鮮明~ | 鋭~ | 鋭く | 解像感 | ピントを合わせ~ | "
        "ディテールを強調~ | ぼけを除去 | ボケを直~ | 高精細",
        "锐化 | 太模糊 | 太模糊了 | 清晰 | 更清晰 | 锐利 | 清楚 | 更清楚 | 增强细节 | 提高清晰度 | 清晰度 | "
        "去模糊 | 不模糊 | 细节增强 | 对焦清晰",
    ),
    _adjust(
        "blur",
        "blur | blurs | blurred | blurry | blurrier | blurring | blurriness | gaussian blur | "
        "out of focus | unfocused | soft focus | softer | soften~ | dreamy",
        "흐리~ | 흐릿~ | 흐린 | 흐려~ | 블러 | 뽀얗~ | 뽀얀 | 초점이 나간 | 아웃포커스 | 아웃 포커스 | "
        "부드럽~ | 몽환적~",
        "ぼかし | ぼかす | ぼかして~ | ぼかした | ぼやけ~ | ぼや~ | ボケ | ブラー | ソフトフォーカス | "
        "ピンぼけ | ピンボケ | 柔らか~ | やわらか~ | ふんわり | 幻想的 | 夢のよう~ | ソフト",
        "模糊 | 虚化 | 变模糊 | 高斯模糊 | 柔焦 | 柔和 | 失焦 | 朦胧 | 柔化 | 散焦 | 梦幻",
    ),
    _adjust(
        "vignette",
        "vignette | vignettes | vignetting | dark corners | dark edges | darken the corners | "
        "darken the edges | darker corners | darker edges",
        "비네팅 | 비네트 | 비네트 효과 | 가장자리를 어둡~ | 모서리를 어둡~",
        "周辺減光 | ビネット | ヴィネット | ビネット効果 | ケラレ | 四隅を暗~ | 周辺を暗~ | 端を暗~ | "
        "周りを暗~ | 隅を暗~",
        "暗角 | 加暗角 | 晕影 | 暗角效果 | 边缘变暗 | 边缘压暗 | 四角变暗 | 四角压暗 | 四周变暗 | 四周压暗",
    ),
    _adjust(
        "tint",
        "tint | tinted | colour cast | color cast | colour overlay | color overlay | hue",
        "틴트 | 색조 | 색 오버레이",
        "色かぶせ | 色かぶり | ティント | カラーオーバーレイ | 色相",
        "着色 | 染色 | 偏色 | 色偏 | 色罩 | 叠色 | 色相",
    ),
    _adjust(
        "grain",
        "grain | grainy | film grain | noise | noisy",
        "그레인 | 필름 그레인 | 입자감 | 입자 | 노이즈",
        "粒子感 | グレイン | フィルムグレイン | フィルム粒子 | 粒状感 | 粒子 | ノイズ | ざらざら | ざらつき | ざらつ~",
        "颗粒 | 颗粒感 | 胶片颗粒 | 噪点 | 噪声 | 杂讯 | 粗颗粒",
    ),
    _adjust(
        "invert",
        "invert | inverted | invert the colours | invert the colors | inverted colours | inverted colors | "
        "negative | photo negative | film negative | negative film",
        "반전 | 색상 반전 | 색 반전 | 색상을 반전~ | 색을 반전~ | 네거티브 | 네거티브 필름",
        "色反転 | 色の反転 | 色を反転~ | 階調反転 | 階調の反転 | ネガポジ反転 | ネガ反転 | 反転 | 反転~ | "
        "ネガ | ネガフィルム",
        "反相 | 反色 | 颜色反转 | 反转颜色 | 色彩反转 | 反转色彩 | 颜色取反 | 反转 | 负片 | 底片 | 底片效果",
    ),
    _adjust(
        "mirror",
        "mirror | mirrored | mirror image | flip | flipped | flip horizontally | flip it horizontally | "
        "mirror horizontally",
        "좌우 반전 | 좌우반전 | 좌우를 뒤집~ | 좌우로 뒤집~ | 거울처럼 | 미러링",
        "左右反転 | 左右を反転~ | 左右に反転~ | 水平反転 | 水平に反転~ | 鏡像 | ミラー | 鏡のよう~ | "
        "左右を入れ替え~ | 左右を逆~ | フリップ | 裏返~",
        "左右翻转 | 水平翻转 | 镜像 | 镜像翻转 | 左右镜像 | 左右反转 | 左右颠倒 | 水平镜像 | 水平反转 | 翻转 | 镜面",
    ),
    _adjust(
        "polish",
        "polish | polished | enhance | enhanced | improve | improved | better | nicer | beautiful | "
        "more beautiful | stunning | gorgeous | pretty | retouch | retouched | touch up | professional | "
        "more professional | auto enhance",
        "보정 | 보정~ | 개선~ | 향상~ | 예쁘게 | 이쁘게 | 멋지게 | 멋있게 | 더 좋게 | 고급스럽게",
        "きれい~ | 綺麗~ | キレイ | 美し~ | 補正 | 補正~ | レタッチ | 仕上げ~ | プロっぽ~ | プロ並み | "
        "見栄え | 高級感 | おしゃれ~ | かっこよ~ | 素敵~ | もっと良く",
        "美化 | 优化 | 润饰 | 修图 | 精修 | 漂亮 | 更漂亮 | 好看 | 更好看 | 更美 | 精致 | 专业 | 高级 | "
        "高级感 | 质感 | 完美 | 改善 | 提升画质",
    ),
    _adjust(
        "neutral_grade",
        "neutral grade | neutral | neutral tones | neutral colours | neutral colors | natural | "
        "natural colours | natural colors | natural look | natural light | balanced colours | "
        "balanced colors | white balance",
        "자연스럽게 | 자연스러운 | 자연스러운 색 | 자연스러운 색감 | 중립 | 화이트 밸런스 | 기본 보정",
        "自然な色 | 自然な色合い | 自然な感じ | 自然な | 自然に | ナチュラル | ニュートラル | "
        "ホワイトバランス | 控えめな色調整 | 自然な仕上がり",
        "自然色 | 自然色调 | 自然 | 中性 | 中性色 | 中性色调 | 白平衡 | 色彩平衡",
    ),
    # The first row that fits a clause decides where the colours come from.
    _source(
        "colours_of",
        "match | matches | matching | match the colours of | match the colors of | match colours | match colors",
        "맞춰~ | 맞추~ | 맞게",
        "合わせ~ | 揃え~ | 一致させ~ | 統一~ | マッチ | 近づけ~",
        "匹配 | 配合 | 对齐 | 统一 | 靠近 | 接近 | 相匹配",
        source="last",
    ),
    _source(
        "colours_of",
        "colours | colors | colour | color | colouring | coloring | palette | colour palette | "
        "color palette | colour scheme | color scheme | colour grade | color grade | colour grading | "
        "color grading | colour tone | color tone | colour tones | color tones | tones | tonality | "
        "recolour | recolor | colour reference | color reference | colour grade it | colour mood",
        "색감 | 색상 | 색깔 | 색 | 색조합 | 색채 | 색 조합 | 팔레트 | 컬러 | 컬러 톤 | 컬러톤 | 톤 | 색톤 | "
        "색 톤 | 색조",
        "色合い | 色調 | 色 | 色味 | 色使い | 配色 | 色彩 | 色感 | カラー | カラートーン | カラーパレット | "
        "パレット | トーン | 色づかい | カラーリング",
        "色调 | 色彩 | 配色 | 颜色 | 色 | 调色 | 色感 | 色系 | 色板 | 调色板 | 配色方案 | 色彩风格 | "
        "色彩搭配 | 用色 | 影调",
        source="like of with bare",
    ),
    _layout(
        "side_by_side",
        "side by side | next to | next to each other | beside | beside each other | alongside | in a row | "
        "together | collage | combine | combined | comparison | compare | before and after | "
        "left and right | join",
        "나란히 | 나란하~ | 옆에 | 옆으로 | 양옆 | 좌우로 | 한 줄로 | 합쳐~ | 합치~ | 합성~ | 결합~ | "
        "함께 | 비교 | 비교~ | 콜라주 | 이어 붙~ | 이어붙~",
        "並べ~ | 横並び | 横に並べ~ | 左右に並べ~ | 隣に | 隣同士 | 横に | 並列 | 一列に | 合成~ | "
        "組み合わせ~ | 結合~ | 一緒に | コラージュ | 比較~ | 比較 | つなげ~ | 繋げ~ | 連結~ | "
        "ビフォーアフター",
        "并排 | 并列 | 肩并肩 | 左右并排 | 放在一起 | 拼在一起 | 拼接 | 拼图 | 拼贴 | 拼成一张 | 合并 | "
        "合成 | 组合 | 结合 | 旁边 | 对比图 | 前后对比 | 对照 | 一起 | 合在一起 | 排列 | 连接",
    ),
    _layout(
        "side_by_side",
        "left | on the left | on the left side | on the left of | to the left of | left side | left hand side",
        "왼쪽 | 왼편 | 좌측",
        "左 | 左側 | 左に | 左側に | 左手",
        "左边 | 左侧 | 左 | 左面",
        place="left",
    ),
    _layout(
        "side_by_side",
        "in the middle | in the centre | in the center",
        "가운데 | 중앙",
        "真ん中 | 中央 | 真ん中に | 中央に",
        "中间 | 中央 | 正中",
        place="middle",
    ),
    _layout(
        "side_by_side",
        "right | on the right | on the right side | on the right of | to the right of | right side | right hand side",
        "오른쪽 | 오른편 | 우측",
        "右 | 右側 | 右に | 右側に | 右手",
        "右边 | 右侧 | 右 | 右面",
        place="right",
    ),
    _layout(
        "split",
        "split | split screen | split in half | split view | half and half | half half | divided | "
        "diagonal split | split diagonally",
        "분할 | 화면 분할 | 분할 화면 | 반반 | 반씩 | 절반씩 | 반으로 나~ | 분할~",
        "分割 | 画面分割 | 画面を分割~ | 半分ずつ | 半々 | 二分割 | 2分割 | 分割画面 | スプリット",
        "分屏 | 分割 | 画面分割 | 对半 | 各一半 | 一半一半 | 各占一半 | 二分 | 斜切 | 对角分割 | 左右分割",
    ),
    _layout(
        "triptych",
        "triptych | three panels | three panel | 3 panels | 3 panel | three part | in three parts",
        "세 폭 | 삼면화 | 트립틱 | 세 패널 | 3단 | 세 칸 | 세 부분 | 3분할 | 삼분할 | 세 폭 그림",
        "三連画 | 三連 | 3分割 | 三分割 | トリプティック | 3枚組 | 三枚組 | 3コマ | 三面",
        "三联画 | 三联 | 三联屏 | 三格 | 三分割 | 三等分 | 三栏 | 三段",
    ),
    _layout(
        "double_exposure",
        "double exposure | double exposed | multiple exposure | superimpose~ | overlay | overlaid | "
        "overlaying | blend | blended | blending | merge | merged | fuse | fused | mix | mixed",
        "이중 노출 | 이중노출 | 다중 노출 | 다중노출 | 더블 익스포저 | 겹쳐~ | 겹치~ | 오버레이 | 블렌딩 | "
        "블렌드 | 섞어~ | 섞~",
        "二重露光 | 多重露光 | 二重露出 | 多重露出 | ダブルエクスポージャー | 重ね~ | 重ね合わせ~ | "
        "オーバーレイ | ブレンド | 混ぜ~ | 融合~ | 合わせて一枚~",
        "双重曝光 | 多重曝光 | 二次曝光 | 重叠 | 叠加 | 叠在一起 | 混合 | 融合 | 叠化 | 重合",
    ),
    _source(
        "inset",
        "inset | insert | picture in picture | pip | in the corner | in a corner | as a small picture | "
        "as a thumbnail | thumbnail | small in",
        "인셋 | 구석에 | 모서리에 | 귀퉁이에 | 코너에 | 작게 넣~ | 작게 삽입~ | 작게 | 픽처 인 픽처 | 섬네일 | 썸네일",
        "小窓 | インセット | 挿入~ | はめ込~ | 隅に | 角に | 小さく | 小さく入れ~ | 小さく載せ~ | "
        "サムネイル | ワイプ | ピクチャーインピクチャー | コーナーに",
        "画中画 | 角落 | 嵌入 | 插入 | 小图 | 缩略图 | 缩小 | 缩小放 | 小窗 | 角上 | 一角",
        source="object with bare of",
    ),
    _source(
        "inset",
        "top left | upper left | top left corner | upper left corner",
        "왼쪽 위 | 왼쪽 상단 | 좌측 상단 | 좌상단",
        "左上 | 左上隅 | 左上の隅 | 左上の角",
        "左上 | 左上角 | 左上方",
        source="object with bare of",
        corner="top_left",
    ),
    _source(
        "inset",
        "top right | upper right | top right corner | upper right corner",
        "오른쪽 위 | 오른쪽 상단 | 우측 상단 | 우상단",
        "右上 | 右上隅 | 右上の隅 | 右上の角",
        "右上 | 右上角 | 右上方",
        source="object with bare of",
        corner="top_right",
    ),
    _source(
        "inset",
        "bottom left | lower left | bottom left corner | lower left corner",
        "왼쪽 아래 | 왼쪽 하단 | 좌측 하단 | 좌하단",
        "左下 | 左下隅 | 左下の隅 | 左下の角",
        "左下 | 左下角 | 左下方",
        source="object with bare of",
        corner="bottom_left",
    ),
    _source(
        "inset",
        "bottom right | lower right | bottom right corner | lower right corner",
        "오른쪽 아래 | 오른쪽 하단 | 우측 하단 | 우하단",
        "右下 | 右下隅 | 右下の隅 | 右下の角",
        "右下 | 右下角 | 右下方",
        source="object with bare of",
        corner="bottom_right",
    ),
    _source(
        "background",
        "as the background | as a background | as background | for the background | as the backdrop | "
        "as a backdrop | as backdrop | background | the background | backdrop | replace the background | "
        "change the background | swap the background | set the background | as the background of | "
        "background of",
        "배경 | 배경으로 | 배경을 | 배경을 바꾸~ | 배경을 바꿔~ | 배경 이미지",
        "背景 | 背景に | 背景を | 背景画像 | 背景として | バック | バックに | 後ろに",
        "背景 | 作为背景 | 当背景 | 当作背景 | 做背景 | 设为背景 | 为背景 | 背景图 | 的背景 | 背景换成 | 背景替换",
        source="with object bare of",
    ),
    _source(
        "background",
        "in front of | on top of | against",
        "배경에 | 배경 위에",
        "背景に置~ | 背景に配置~ | 背景の上に | 背景の前に | の手前に | の前に",
        "放到背景 | 放在背景 | 背景上 | 背景里 | 背景中 | 背景前 | 前面",
        source="to of bare",
    ),
)

ROWS = {row.name: row for row in reversed(OPERATION_ROWS)}
"""The first row of each operation."""

COLOURS: dict[str, tuple[str, str, str, str, str]] = {
    "red": (
        "#c8322f",
        "red | reddish | crimson | scarlet | ruby",
        "빨간~ | 빨갛~ | 빨강~ | 붉은~ | 붉게 | 레드~",
        "赤 | 赤色 | 赤く | 赤い | 赤っぽ~ | 赤み | 赤系 | 紅色 | 真っ赤~ | レッド",
        "红 | 红色 | 红色系 | 大红 | 深红 | 绯红 | 变红 | 偏红",
    ),
    "orange": (
        "#e07a1f",
        "orange | orangey | amber | tangerine",
        "주황~ | 오렌지~",
        "オレンジ | オレンジ色 | 橙色 | 橙 | だいだい色",
        "橙 | 橙色 | 橘色 | 橘黄 | 橘红 | 琥珀色",
    ),
    "yellow": (
        "#e3bb2c",
        "yellow | yellowish | gold | golden",
        "노란~ | 노랗~ | 노랑~ | 금색~ | 황금색~",
        "黄色 | 黄色く | 黄色い | 黄色っぽ~ | 黄 | 金色 | ゴールド | イエロー",
        "黄 | 黄色 | 金色 | 变黄 | 偏黄 | 金黄 | 金黄色",
    ),
    "green": (
        "#3f8f4a",
        "green | greenish | emerald",
        "초록~ | 녹색~ | 푸른 녹색~ | 그린색~ | 그린 톤~ | 연두~",
        "緑 | 緑色 | 緑っぽ~ | 緑系 | グリーン | 黄緑 | エメラルド",
        "绿 | 绿色 | 变绿 | 偏绿 | 翠绿 | 翠绿色",
    ),
    "teal": (
        "#1f8a8a",
        "teal | turquoise | cyan | aqua",
        "청록~ | 틸~ | 하늘색~ | 시안~",
        "青緑 | 青緑色 | ティール | ターコイズ | シアン | 水色 | 空色",
        "青色 | 青绿 | 青绿色 | 蓝绿 | 蓝绿色 | 湖蓝 | 天蓝 | 天蓝色 | 青蓝",
    ),
    "blue": (
        "#2f5fc0",
        "blue | bluish | azure | navy | indigo",
        "파란~ | 파랗~ | 파랑~ | 푸른~ | 푸르~ | 블루~ | 남색~",
        "青 | 青色 | 青く | 青い | 青っぽ~ | 青み | 青系 | 真っ青~ | ブルー | 紺色 | 紺 | 藍色",
        "蓝 | 蓝色 | 变蓝 | 偏蓝 | 深蓝 | 深蓝色 | 藏青 | 靛蓝",
    ),
    "purple": (
        "#7d4bb5",
        "purple | violet | lilac | lavender | magenta",
        "보라~ | 자주색~ | 퍼플~ | 마젠타~",
        "紫 | 紫色 | 紫っぽ~ | 紫系 | パープル | バイオレット | マゼンタ | ラベンダー",
        "紫 | 紫色 | 变紫 | 偏紫 | 紫罗兰 | 洋红 | 品红 | 淡紫色",
    ),
    "pink": (
        "#de6fa1",
        "pink | pinkish | rose coloured",
        "분홍~ | 핑크~",
        "ピンク | ピンク色 | ピンクっぽ~ | 桃色 | 桜色",
        "粉色 | 粉红 | 粉红色 | 变粉 | 玫红 | 玫瑰色",
    ),
    "brown": (
        "#7a5230",
        "brown | brownish | chocolate",
        "갈색~ | 브라운~",
        "茶色 | 茶色く | 茶色い | 茶色っぽ~ | ブラウン | 褐色 | こげ茶",
        "棕色 | 褐色 | 咖啡色 | 棕",
    ),
}
"""Colour words: the colour they stand for, then the words in English, Korean, Japanese and Chinese."""

OFTEN_MISSPELT = (
    "sketch", "pencil", "watercolour", "watercolor", "cartoon", "mosaic", "vintage", "cyberpunk", "blueprint", "glitch",
    "polaroid", "duotone", "charcoal", "impressionist", "monochrome", "grayscale", "greyscale",
)  # fmt: skip
"""Looks that are recognised with a letter wrong."""
ALMOST_MISSPELT = frozenset({"carton", "cartons", "cartoonist", "vantage", "pencils", "impressionists"})
"""Words that are spelt like those, and right."""
ADJECTIVES = frozenset({
    "anime", "cartoon", "comic", "cyberpunk", "foggy", "glitchy", "hazy", "impressionist", "misty", "monochrome",
    "moonlit", "noir", "pixelated", "rainy", "retro", "snowy", "synthwave", "vaporwave", "vintage", "wintry",
    "빈티지", "레트로", "사이버펑크", "흑백",
})  # fmt: skip
"""Looks that may stand before the thing they are asked for: "a foggy forest" is fog, whatever the forest."""

WORD_ROWS: tuple[Row, ...] = (
    Row(
        "strength",
        "slight | slightly | a bit | a little | a little bit | little bit | a touch | a tad | tad | subtle | "
        "subtly | gently | gentle | somewhat | mild | mildly | lightly | faint | faintly | just a bit | "
        "softly | tiny bit",
        "조금 | 조금만 | 조금 더 | 좀 더 | 약간 더 | 살짝 더 | 약간 | 약간만 | 살짝 | 살짝만 | 은은하게 | "
        "은은한 | 조금씩 | 다소 | 가볍게 | 좀",
        "少し | 少しだけ | すこし | 少々 | もう少し | もうちょっと | ちょっと | ちょっとだけ | ちょっぴり | "
        "やや | わずかに | わずか | 僅かに | 軽く | ほんのり | ほんの少し | うっすら | ほのかに | ほのかな | "
        "さりげなく | 若干 | 多少 | 控えめに | 控えめな",
        "稍微 | 稍 | 略微 | 略 | 稍稍 | 一点 | 一点点 | 一点儿 | 点儿 | 一些 | 些 | 些许 | 有点 | 有些 | "
        "有一点 | 轻微 | 轻轻 | 微微 | 淡淡 | 淡淡的 | 适当 | 适度 | 再稍微 | 少许 | 轻度",
        "slight",
    ),
    Row(
        "strength",
        "very | much | a lot | lots of | lot | strong | strongly | heavy | heavily | extremely | extreme | "
        "really | super | intense | intensely | completely | totally | far | way | deeply | deep | so | "
        "bold | boldly | dramatically | considerably | significantly | too",
        "매우 | 아주 | 훨씬 | 많이 | 강하게 | 강한 | 진하게 | 진한 | 엄청 | 정말 | 완전 | 완전히 | 극도로 | "
        "확 | 무척 | 굉장히 | 짙은 | 짙게 | 너무",
        "かなり | とても | すごく | 非常に | もっとずっと | ずっと | 強く | 強め | 強めに | 強い | 強烈に | "
        "強烈な | 大幅に | 思い切り | 思いっきり | 思い切って | 濃く | 濃い | 激しく | 激しい | はるかに | "
        "めちゃくちゃ | めっちゃ | 超 | ものすごく | 極端に | 完全に | 大きく | ぐっと | 深く | 深い | "
        "大胆に | 極めて | だいぶ | がっつり",
        "非常 | 非常的 | 很 | 特别 | 十分 | 极其 | 极度 | 极 | 超级 | 超 | 大幅 | 大幅度 | 强烈 | 强烈的 | "
        "明显 | 明显的 | 太 | 相当 | 格外 | 尤其 | 完全 | 彻底 | 得多 | 很多 | 许多 | 大大 | 浓浓的 | 浓烈 | "
        "强力 | 极端 | 超强 | 重度",
        "strong",
    ),
    # What a scope covers is not drawn. `honoured`: nothing to do, as the picture keeps it anyway.
    Row(
        "before",
        "don't | dont | don’t | do not | never | avoid | not | without changing | without losing | "
        "without altering | without touching | keep | keeping | leave | leaving | preserve | preserving | "
        "retain | retaining | maintain | maintaining | don't change | do not change | don't make | less",
        "",
        "",
        "不要 | 不要改变 | 不要让 | 不要变 | 不要变成 | 不要改 | 不要动 | 不要太 | 不用 | 不能 | 不可 | "
        "不可以 | 不必 | 不想 | 不想要 | 不 | 别 | 别让 | 别太 | 别变 | 别改 | 别动 | 请勿 | 请不要 | 请别 | "
        "切勿 | 勿 | 避免 | 禁止 | 不改变 | 不影响 | 不改动 | 在不改变 | 在保持 | 在保留 | 保持 | 保留 | "
        "维持 | 保存 | 留住 | 不是",
        "honoured",
    ),
    Row("before", "instead of | rather than | as opposed to", "", "", "而不是 | 代替 | 取代 | 而非", "instead"),
    Row(
        "before",
        "without | without any | no | with no | minus",
        "",
        "",
        "没有 | 无 | 不带 | 不含 | 不加 | 不出现 | 不需要 | 不包含",
        "refused",
    ),
    Row(
        "after",
        "unchanged | intact | untouched",
        "유지~ | 그대로 | 그대로 두~ | 그대로 둬~ | 보존~ | 말고 | 하지 말~ | 하지 마~ | 하지마~ | "
        "하지 않~ | 않게 | 않은 | 않도록 | 말아~ | 마세요 | 마라 | 말 것 | 대신 | 대신에 | 아니라 | "
        "바꾸지 말~ | 바꾸지 마~ | 건드리지 말~ | 건드리지 마~ | 변경하지 말~ | 변하지 않~",
        "ないで~ | ないよう~ | ない程度~ | ないまま~ | ずに | なくて~ | ません~ | しないで~ | しないよう~ | "
        "しない~ | せずに | せず | しすぎない~ | しすぎず | しないまま | すぎない~ | すぎず | "
        "なりすぎない~ | ならない~ | ならず | 変えず~ | 変えないで~ | 変えない~ | 変えることなく | "
        "変更せず~ | 変更しない~ | 変更なし~ | そのまま~ | このまま~ | のまま | のままで~ | まま | 維持~ | "
        "保持~ | 保っ~ | 保ち~ | 保つ | 保存~ | 残し~ | 残す | キープ | ではなく~ | じゃなく~ | でなく | "
        "の代わりに | 代わりに | いじらない~ | 触らない~ | 崩さず~ | 崩さない~ | 損なわず~ | 損なわない~ | "
        "以外は",
        "不变 | 保持不变 | 不要变化 | 不动 | 不改 | 不要改变它 | 保持原样 | 原样 | 原样保留 | 维持不变 | "
        "维持原样 | 照旧 | 不受影响 | 除外 | 的前提下 | 的同时",
        "honoured",
    ),
    Row(
        "after",
        "",
        "없이 | 없는 | 빼고 | 빼줘 | 제외~",
        "なしで | なしに | なし | 無しで | 無し | 抜きで | 抜きに | 除い~",
        "",
        "refused",
    ),
    Row(
        "refuse",
        "remove | remove~ | removing | erase~ | erasing | delete~ | deleting | get rid of | take away | "
        "take out | restore~ | restoring | repair~ | "
        "colorize~ | colourize~ | colorise~ | colourise~ | swap | swapping | replace | replacing | replaced",
        "지워~ | 지우~ | 제거~ | 없애~ | 삭제~ | 교체~ | 복원~ | 복구~",
        "消し~ | 消す | 消去~ | 削除~ | 除去~ | 取り除~ | 取っ~ | 取り去~ | なくし~ | 外し~ | 復元~ | "
        "修復~ | 直し~ | カラー化~",
        "删除 | 删掉 | 去掉 | 去除 | 移除 | 擦除 | 抹去 | 抹掉 | 消除 | 清除 | 拿掉 | 拿走 | 除去 | 修复 | "
        "还原 | 上色 | 抠图 | 抠出 | 抠掉",
    ),
    Row(
        "part",
        "background | backdrop | foreground | sky | eye | eyes | hair | face | faces | skin | lips | "
        "mouth | nose | teeth | smile | head | hand | hands | dress | shirt | jacket | clothes | clothing | "
        "hat | wall | floor | grass | text | words | letters | logo | shadow",
        "배경~ | 하늘~ | 눈동자~ | 머리~ | 머리카락~ | 얼굴~ | 피부~ | 입술~ | 치아~ | 옷~ | 셔츠~ | "
        "드레스~ | 재킷~ | 모자~ | 벽~ | 바닥~ | 잔디~ | 글자~ | 글씨~ | 텍스트~ | 로고~ | 그림자~",
        "背景 | 前景 | 空 | 目 | 目元 | 瞳 | 髪 | 髪の毛 | 髪型 | 頭 | 顔 | 肌 | 唇 | 口 | 鼻 | 歯 | 手 | "
        "手元 | 服 | 衣装 | 洋服 | 服装 | ドレス | シャツ | ジャケット | 帽子 | 壁 | 床 | 芝生 | 文字 | "
        "ロゴ | 影 | テキスト | 表情 | 笑顔",
        "背景 | 前景 | 天空 | 眼睛 | 眼珠 | 瞳孔 | 头发 | 发型 | 发色 | 头 | 脸 | 脸部 | 面部 | 人脸 | "
        "皮肤 | 嘴唇 | 嘴 | 嘴巴 | 鼻子 | 牙齿 | 手 | 手指 | 衣服 | 裙子 | 衬衫 | 外套 | 夹克 | 服装 | "
        "帽子 | 墙 | 墙壁 | 墙面 | 地板 | 地面 | 草地 | 草坪 | 文字 | 字 | 标志 | 影子 | 阴影 | 表情 | 笑容",
    ),
    Row(
        "verb",
        "turn~ | convert~ | transform~ | change~ | paint | paint it | draw | draw it | redraw~ | render~ | "
        "repaint~ | reimagine~ | restyle~ | recreate~ | depict~ | illustrate~ | stylize~ | stylise~ | "
        "express~ | show",
        "바꿔~ | 바꾸~ | 바뀌~ | 변환~ | 변경~ | 변신~ | 그려~ | 그리~ | 표현~ | 만들~ | 만드~ | 전환~ | 꾸며~ | 꾸미~",
        "変え~ | 変える | 変わ~ | 変換~ | 変更~ | 変身~ | かえて~ | 描い~ | 描き~ | 描く | 描画~ | 描写~ | "
        "仕上げ~ | 作っ~ | 作り~ | 作成~ | 生まれ変わ~ | 再現~ | 表現~ | 差し替え~ | 置き換え~ | 切り替え~ | "
        "入れ替え~ | アレンジ~ | 加工~",
        "变成 | 变为 | 变作 | 变 | 转成 | 转为 | 转换成 | 转换为 | 转换 | 转化成 | 转化为 | 转化 | 转变成 | "
        "转变为 | 改成 | 改为 | 改作 | 改造成 | 换成 | 换为 | 换 | 替换成 | 替换为 | 替换 | 更换为 | "
        "更换成 | 更换 | 画成 | 画出 | 绘成 | 绘制成 | 绘制 | 制成 | 制作成 | 做成 | 弄成 | 调成 | 调为 | "
        "处理成 | 处理为 | 渲染成 | 渲染为 | 渲染 | 重绘成 | 重绘为 | 重绘 | 表现成 | 打造成 | 化为 | 化作 | "
        "改变成 | 改变为 | 改变 | 更改 | 重画成 | 生成",
        "turn",
    ),
    Row("verb", "make | makes | making | made", "", "", "", "make"),
    Row(
        "verb",
        "add | adding | adds | apply | applied | applying | put | place | placing | use | using | give | "
        "giving | take | set | do | create | creating | generate | produce | try | edit | adjust | "
        "adjusting | increase | boost | raise | let | transfer | copy | bring | switch | want | need | "
        "get | have | has | is | are | be | been | being | look | looks | looking | feel | feels | "
        "feeling | become | becomes | appear | appears | go | going | arrange | lay out | lay | stand | "
        "show | display | position | compose | merge in",
        "해~ | 하~ | 주세요 | 줘~ | 주~ | 적용~ | 사용~ | 넣~ | 추가~ | 더해~ | 더하~ | 처리~ | 편집~ | "
        "수정~ | 조정~ | 입혀~ | 입히~ | 써~ | 쓰~ | 나누~ | 나눠~ | 배치~ | 놓~ | 놔~ | 붙여~ | 붙이~ | 올려~ | "
        "올리~ | 높여~ | 높이~ | 낮춰~ | 낮추~ | 줄여~ | 줄이~ | 보여~ | 보이~ | 되~ | 됩~ | 할~ | 한 | "
        "삼아~ | 가져와~ | 옮겨~ | 부탁~ | 싶~ | 원해~ | 생성~ | 있~ | 따라~ | 참고~ | 참조해~ | 활용~ | "
        "이용~",
        "し~ | して~ | した~ | する~ | しろ | なる~ | なっ~ | なり~ | 適用~ | 使っ~ | 使い~ | 使う~ | "
        "使用~ | 用い~ | 利用~ | 活用~ | 入れ~ | 加え~ | 足し~ | 足す | 追加~ | 付け~ | つけ~ | かけ~ | "
        "かける~ | 処理~ | 編集~ | 修正~ | 調整~ | 配置~ | 置い~ | 置き~ | 置く | 載せ~ | のせ~ | 貼り~ | "
        "貼っ~ | 上げ~ | 高め~ | 高く~ | 強調~ | 見え~ | 見せ~ | させ~ | さし~ | 反映~ | 移し~ | 移植~ | "
        "借り~ | 取り入れ~ | 欲し~ | ほし~ | ください~ | 下さい~ | 頼~ | やっ~ | "
        "やり~ | 生成~ | 出し~ | ある | あり~ | いる | いて~ | 参考~ | 参照~ | もとに~ | 基に~ | 元に~ | "
        "与え~ | 施し~ | まとめ~ | 合う~ | 敷い~ | 降らせ~ | 降る~ | 降り~ | 降って~ | 感じられ~",
        "做 | 做个 | 做一 | 弄 | 弄得 | 搞 | 加 | 加上 | 加入 | 加点 | 添加 | 增加 | 增添 | 增强 | 加强 | "
        "添上 | 应用 | 应用到 | 应用于 | 套用 | 套用到 | 使用 | 采用 | 用到 | 用于 | 用在 | 运用 | 放 | "
        "放到 | 放在 | 放入 | 放进 | 放上 | 放置 | 置于 | 摆放 | 摆在 | 给出 | 呈现 | 呈现出 | 展现 | 展示 | "
        "显示 | 表现 | 具有 | 带有 | 带 | 有 | 调 | 调整 | 调整为 | 调节 | 调到 | 调得 | 编辑 | 修改 | "
        "修改为 | 修改成 | 处理 | 提高 | 提升 | 调高 | 加大 | 设为 | 设置 | 设置为 | 设成 | 想要 | 我要 | "
        "需要 | 希望 | 要 | 作为 | 当作 | 看起来 | 看上去 | 显得 | 营造 | 营造出 | 打造 | 变得 | 得 | 拥有 | "
        "借用 | 借鉴 | 参考 | 参照 | 复制到 | 复制 | 迁移到 | 迁移 | 转移到 | 移到 | 换上 | 覆盖 | 叠上 | "
        "覆上 | 分 | 分成 | 铺 | 成 | 为 | 是",
        "do",
    ),
    # 明るさを下げて, 降低一点亮度: the opposite of what is named. What has no opposite cannot be lowered.
    Row(
        "lower",
        "",
        "",
        "下げ~ | 弱め~ | 弱く | 抑え~ | 減ら~ | 落とし~ | 低く | 低め~ | 控え~",
        "降低 | 减少 | 减弱 | 减小 | 调低 | 压低 | 削弱 | 低一点 | 弱一点 | 低一些",
    ),
    Row(
        "only",
        "only | just the",
        "오직",
        "だけ | のみ | だけを | のみを | だけに | だけは",
        "只 | 仅 | 只有 | 只把 | 仅仅 | 只将 | 仅将 | 只让 | 只对 | 仅对",
    ),
    Row(
        "link",
        "into | in to | look like | looks like | look as if | look as though | appear as | look as | "
        "feel like | become",
        "",
        "のように見え~ | みたいに見え~",
        "看起来像 | 看上去像 | 变得像",
        "into",
    ),
    # A reference's manner of drawing cannot be borrowed; "in the style of a comic" can.
    Row(
        "manner",
        "in the style of | style of | in the manner of | art style of",
        "스타일~ | 화풍~ | 그림체~ | 느낌~ | 분위기~ | 감성~ | 무드~",
        "スタイル | 画風 | 作風 | タッチ | 雰囲気 | テイスト | ムード | 絵柄 | 世界観 | 感じ",
        "风格 | 画风 | 感觉 | 氛围 | 意境 | 韵味 | 气氛 | 情调 | 样式 | 笔法",
    ),
    Row("glue", "of | from", "", "", "", "of"),
    Row("glue", "like | as | as in | than", "", "", "像 | 如 | 如同 | 好像 | 宛如 | 仿佛 | 类似 | 跟随", "like"),
    Row("with", "with", "", "", "", "with"),
    Row("glue", "using | by | via | use | based on", "", "", "用 | 以 | 按 | 按照 | 根据 | 基于 | 依照 | 通过", "with"),
    Row("glue", "", "", "", "把 | 将", "object"),
    Row("glue", "", "", "", "让 | 使 | 令", "let"),
    Row(
        "glue",
        "to | on | onto | in | inside | over | for | at | upon | under | above | below | within",
        "",
        "",
        "在 | 到 | 给 | 对 | 往 | 向 | 于 | 至",
        "to",
    ),
    Row(
        "polite",
        "please | pls | plz | plss | plzz | thanks | thank you | thx | ty | hello | hi | hey | ok | okay | lol",
        "제발 | 부디 | 안녕~ | 감사~ | 고마워~",
        "お願い~ | おねがい~ | "
        "よろしく~ | お手数~ | ありがとう~ | こんにちは | すみません~ | どうか | どうぞ | ね | よ | 笑",
        "请 | 请帮我 | 请把 | 帮我 | 帮忙 | 麻烦 | 麻烦你 | 谢谢 | 谢谢你 | 多谢 | 你好 | 您好 | 吧 | 哦 | "
        "啊 | 呀 | 了 | 嘛 | 呢 | 吗 | 哈哈",
    ),
    Row(
        "join",
        "and | & | or | plus",
        "그리고 | 및 | 또는 | 와 | 과 | 랑",
        "と | や | かつ | および | 及び | または | ＆",
        "和 | 与 | 及 | 以及 | 或 | 或者 | 跟 | 加上了",
    ),
    Row(
        "break",
        "then | and then | but | also | while | after that | afterwards | next | finally | first of all | "
        "with added | in addition | additionally | plus",
        "그런 다음 | 그 다음 | 그다음 | 다음에 | 그리고 나서 | 또한 | 또 | 하지만 | 그런데 | 마지막으로",
        "そして | それから | その後 | そのあと | 次に | さらに | 更に | また | しかし | でも | ただし | "
        "ただ | 最後に | ついでに | なおかつ | あと | 同時に",
        "然后 | 接着 | 之后 | 随后 | 并 | 并且 | 而且 | 同时 | 另外 | 此外 | 但 | 但是 | 先 | 不过 | 可是 | "
        "最后 | 首先 | 其次 | 还有 | 而 | 而是 | 也",
    ),
    Row(
        "definite",
        "the | this | that | my | our | his | her | their | its | your | these | those",
        "이 | 그 | 저 | 내 | 우리",
        "この | その | あの | 私の | 僕の | うちの | 我が家の | 彼女の | 彼の",
        "这 | 那 | 这个 | 那个 | 这张 | 那张 | 这幅 | 我的 | 你的 | 他的 | 她的 | 它的 | 我们的 | 我家的 | 我家",
    ),
    Row(
        "whole",
        "everything | everywhere | the whole | whole | entire | all of it | overall | the result | result | "
        "final image | final picture | the collage | whole thing",
        "전체~ | 모두 | 전부 | 결과~ | 전반적~",
        "全体~ | 全体的~ | 全部 | すべて | 全て | 結果~ | まるごと | 画面全体~",
        "整体 | 整体上 | 全部 | 整个 | 整张 | 整幅 | 全图 | 整体画面 | 画面整体 | 所有 | 结果 | 全体",
    ),
    Row(
        "glue",
        "no text | without text | without any text | no watermark | without watermark | no logo | "
        "character | thick | thin | a | an | it | them | me | i | you | we | he | she | they | "
        "can | could | would | will | should | just | now | some | any | more | bit | little | even | "
        "same | such | there | here | kind of | sort of | id | i'd | i’d | i'll | i'm | it's | it’s | "
        "let's | so that | so | where | which | if | were | was | s | "
        "image | images | picture | pictures | photo | photos | photograph | photographs | "
        "pic | pics | img | shot | scene | portrait | landscape | artwork | art | illustration | drawing | "
        "drawings | version | copy | rendition | reference | references | style | styled | stylish | "
        "effect | effects | filter | filters | look | looks | mood | vibe | vibes | atmosphere | "
        "atmospheric | feel | feeling | tone | tones | toned | aesthetic | theme | themed | grade | "
        "graded | grading | treatment | texture | textures | colour | color | colours | colors | coloured | "
        "colored | light | lights | exposure | details | detail | detailed | highly | high quality | "
        "quality | best quality | high resolution | masterpiece | 4k | 8k | hd | uhd | hdr | lovely | "
        "nice | nicely | classic | classical | traditional | delicate | fine | old | modern | soft | "
        "artistic | hand | handmade | hand drawn | hand painted | expressive | loose | piece | work | "
        "work of art | full | single | one | each | other | up | down | everything else | instead | "
        "diagonally | vertically | game | movie | film | rest | the rest | subject | subjects | original | "
        "entirely | day | time | hour | book | page | poster | print | canvas | day time | "
        "small version of | copy of | version of | version | weather | season | falling | heavily | "
        "outside | outdoors | than | as | too | quite | rather | still | edit | editing | subtle | level | "
        "levels | amount | half | side | sides | edges | corners | tint | two | three | both halves",
        "텍스트 없이 | 글자 없이 | 워터마크 없이 | 지는 | 앞에 | 게임~ | 그린 | 이미지 | 이미지~ | "
        "사진 | 사진~ | 그림 | 그림~ | 효과~ | 필터~ | 버전~ | 풍으로 | 풍의 | 처럼 | 같이 | 같은 | 더 | "
        "더욱 | 덜 | 이것~ | 이걸 | 그것~ | 그걸 | 이거~ | 저것~ | 장면~ | 작품~ | 모습~ | "
        "상태~ | 색 | 색감~ | 색상~ | 색깔~ | 색으로 | 톤~ | 톤으로 | 으로 | 로 | 을 | 를 | 은 | 는 | 이 | "
        "가 | 의 | 에 | 에서 | 빛~ | 레퍼런스 | 참조 | 원본~ | 고화질~ | 고품질~ | 한 장 | 한장 | 하나~ | "
        "날~ | 배치 | 그 | 것~ | 게 | 수 | 때 | 일러스트~ | 위에 | 안에 | 아래~ | 위~ | 옆~ | "
        "부분~ | 내리~ | 내린 | 오는 | 풍경~ | 채워~ | 채우~ | 가득~ | 펑펑 | 소나기처럼 | 자욱~ | 멋진 | "
        "예쁜 | 아름다운 | 아름답게 | 귀여운",
        "を | に | の | で | が | は | も | へ | な | から | まで | より | など | には | では | にも | "
        "での | への | との | からの | とか | として | のような | のように | ような | ように | みたいな | "
        "みたいに | みたい | っぽい | っぽく | らしい | らしく | 風 | 風に | 風の | 調 | 調に | 調の | "
        "的な | 的に | 系 | 同じ | 同様 | もっと | より一層 | いっそう | 画像 | 画像風 | 写真 | イメージ | "
        "絵 | イラスト | 作品 | 画 | シーン | 場面 | 風景 | 景色 | 効果 | エフェクト | フィルター | "
        "フィルタ | バージョン | 参照 | 元 | 元の | 光 | 質感 | 高画質 | 高解像度 | 高品質 | 4K | "
        "8K | 一枚 | 1枚 | もの | こと | とき | 時 | ところ | 日 | ゲーム | キャラクター | 全面 | 素敵な | "
        "かわいい | 可愛い | かわいらしい | 主役 | 被写体 | メイン | 美しい | "
        "お洒落な | これ | それ | これを | それを | いい | "
        "良い | いい感じ | 方 | 上 | 中 | 下 | 側 | 向き | 手前 | 程度 | 加減 | 気味 | めに | め | く | い | "
        "さ | た | です | だ | ます | 味 | 度 | 寄り | 版 | 昼 | 昼間 | 朝 | 一部 | 隅 | 位置 | ふう | さん",
        "的 | 地 | 着 | 它 | 他 | 她 | 我 | 你 | 您 | 我想 | 我想要 | 想 | 能 | 可以 | 能否 | 能不能 | "
        "可不可以 | 让它 | 把它 | 将其 | 更 | 更加 | 更为 | 再 | 多 | 比较 | 最 | 图片 | 图像 | 图 | 照片 | "
        "相片 | 影像 | 画面 | 画 | 绘画 | 插画 | 插图 | 作品 | 场景 | 风景 | 景色 | 景象 | 效果 | 特效 | "
        "滤镜 | 版本 | 版 | 样子 | 一样 | 一般 | 似的 | 那样 | 这样 | 那种 | 这种 | 相同 | 同样 | 同款 | "
        "质感 | 光线 | 光 | 光影 | 灯光 | 高清 | 高画质 | 高质量 | 高分辨率 | 超高清 | 4K | 8K | 一张 | "
        "一幅 | 一个 | 一种 | 一副 | 一层 | 里 | 里面 | 中 | 上 | 下 | 内 | 上面 | 里边 | 参考图 | 原图 | "
        "原来 | 原始 | 游戏 | 角色 | 细腻 | 美丽 | 可爱 | 唯美 | "
        "主体 | 主角 | 在前 | 在前面 | 好 | 时 | 时候 | 时分 | 天 | 天气 | "
        "一样的 | 似 | 部分 | 程度 | 手法 | 手绘 | 无文字 | 无水印 | 没有文字 | 没有水印 | 不要文字 | "
        "不要水印 | 调 | 色 | 彩色 | 儿 | 白天 | 起来 | 出 | 出来 | 一下 | 下来 | 来 | 去 | 位置 | 处 | "
        "变化 | 之 | 就 | 都 | 其 | 该 | 一",
    ),
    # These look like an operation and mean something else.
    Row(
        "word",
        "last night | good night | night gown | cold play | cold drink | cold drinks | hot dog | "
        "cool dude | cool guy | oil lamp | oil bottle | bottle of oil | glass of oil | olive oil | "
        "pencil case | pencil skirt | ink bottle | rain coat | rain boots | snow man | snow white | "
        "snow globe | snow leopard | neon sign | neon signs | bright side | dark side | mirror frame | "
        "negative space | blue whale | orange juice | an orange | oranges | gold medal | red wine | "
        "white wine | green tea | rose petals | golden retriever | golden gate | split ends | "
        "cartoon network | cartoon character | anime character | color blind | in love | winter coat | "
        "winter jacket | foggy glasses | night stand | night club | film crew | tile floor",
        "비행기~ | 비밀~ | 비누~ | 비슷하~ | 눈물~ | 눈썹~ | 눈사람~ | 눈을 크~ | 눈을 감~ | 눈을 뜨~ | "
        "밤나무~ | 밤하늘~ | 먹는~ | 먹고~ | 먹이~ | 유화제~ | 타일러~ | 겨울 코트~ | 겨울 옷~ | "
        "도트 무늬~ | 톤업~ | 잉크병~ | 연필깎이~ | 연필통~ | 네온사인 간판~",
        "雪だるま | 雪うさぎ | 白雪姫 | 雪女 | 雪合戦 | 雪山 | 雨傘 | 雨具 | 雨靴 | 雨宿り | 夜会 | 夜食 | "
        "夜空 | 夜行~ | 夜桜 | 夜更かし | 冬眠 | 冬服 | 赤ちゃん~ | 青年 | 青春 | 青空 | 紅茶 | 緑茶 | "
        "茶色の髪 | 黄身 | 油絵の道具 | 鉛筆削り | 鉛筆立て | 鉛筆ケース | 鉛筆箱 | 万年筆 | インク瓶 | "
        "ペンギン | ペンダント | ペンライト | 墨汁の瓶 | ネオンサイン | ネオン看板 | ドット柄 | 水玉 | "
        "鏡餅 | 暗殺者 | 暗号~ | 暗記~ | 暖炉 | 暖簾 | 冷蔵庫 | 冷やし中華 | 冷たい飲み物 | 温かい飲み物 | "
        "明るい笑顔 | 明日 | 明治 | 色々~ | 色紙 | 景色の中の | 漫画家 | 漫画本 | アニメキャラ | 映画館 | "
        "映画監督 | 映画ポスター | 写真集 | 写真家 | 写真立て | 絵本 | 絵の具 | 左手 | 右手 | 左利き | "
        "右利き | 左目 | 右目 | 合わせ鏡 | 背景知識 | 柔道~ | 柔らかい毛布 | 不要な | 和服 | 和室 | 和風 | "
        "和食 | 紫陽花 | 紫外線 | 空港 | 空手 | 目玉焼き | 目覚まし時計 | 手紙 | 手袋 | 口紅 | 夕食 | 夕飯 | "
        "上着 | 上海 | 中国 | 中華 | 下着 | 日本 | 白黒猫 | 自然公園 | 版権~ | 粒子加速器 | 自転車 | 元気~ | "
        "方法 | 時計 | 作者 | 一人 | 調味料 | 風船 | 風車 | 風邪~ | 美容師 | 美術館",
        "雪人 | 雪糕 | 雪碧 | 雪山 | 雪橇 | 雪豹 | 白雪公主 | 滑雪 | 滑雪板 | 雪茄 | 雨伞 | 雨衣 | 雨鞋 | "
        "雨靴 | 雨刷 | 夜店 | 夜市 | 夜宵 | 夜空 | 夜莺 | 夜总会 | 冬瓜 | 冬奥会 | 暖气 | 暖宝宝 | 暖瓶 | "
        "冷饮 | 冷笑 | 冷静 | 冷水 | 冷库 | 暗恋 | 暗号 | 暗示 | 亮片 | 亮相 | 铅笔盒 | 铅笔刀 | 铅笔筒 | "
        "铅笔裙 | 钢笔帽 | 墨水瓶 | 墨镜 | 油画布 | 油画框 | 素描本 | 草图本 | 漫画家 | 动漫角色 | "
        "动漫人物 | 卡通人物 | 卡通角色 | 动画师 | 电影院 | 电影票 | 电影海报 | 霓虹招牌 | 霓虹灯牌 | "
        "霓虹灯招牌 | 红酒 | 红包 | 红旗 | 红茶 | 红绿灯 | 红枣 | 绿茶 | 绿植 | 黄瓜 | 黄油 | 黄金 | 黄河 | "
        "黄山 | 橙汁 | 橙子 | 蓝牙 | 蓝莓 | 蓝天 | 蓝鲸 | 紫菜 | 紫薯 | 紫砂壶 | 棕熊 | 棕榈树 | 马赛克墙 | "
        "冲浪 | 和服 | 和平 | 和尚 | 别墅 | 别针 | 不错 | 不锈钢 | 不同 | 不仅 | 无人机 | 无线 | 无所谓 | "
        "着火 | 用户 | 用餐 | 加拿大 | 加州 | 给力 | 在家 | 把手 | 将军 | 对面 | 对话框 | 到处 | 变形金刚 | "
        "画家 | 画框 | 画廊 | 图书馆 | 图案 | 地图 | 上海 | 上衣 | 下巴 | 中国 | 中年 | 里程 | 手机 | 手表 | "
        "手套 | 手镯 | 手链 | 手提包 | 头盔 | 头饰 | 头巾 | 字典 | 嘴角 | 左手 | 右手 | 左眼 | 右眼 | 左脚 | "
        "右脚 | 天使 | 天鹅 | 背景音乐 | 自然保护区 | 专业人士 | 色狼 | 调料 | 调味 | 光盘 | 光头 | 好友 | "
        "时钟 | 时装 | 多人 | 多肉 | 一只 | 一位 | 一名 | 一条 | 一顶 | 一朵 | 一辆 | 一把 | 一双 | "
        "一副眼镜 | 一杯 | 一座 | 一群 | 一棵 | 一件 | 一束 | 两只 | 更衣室 | 来自 | 去年 | 出租车 | 要塞 | "
        "有人 | 有名 | 分数 | 成人 | 为了 | 是否 | 能量 | 想象 | 最爱 | 其中 | 其他 | 都市 | 就像 | 老师 | "
        "之间 | 处女 | 重点 | 地铁 | 地球 | 地方 | 天花板",
    ),
)

TRADITIONAL = str.maketrans(
    (
        "圖畫變轉鉛筆線繪動點復複懷舊電風暈顆對調飽淺濃銳鏡顏紅黃藍綠膚頭髮發臉牆標誌陰換為將讓給與這個張兩裡"
        "裏後邊側並還請謝煩別無沒樣種霧陽時雙層疊貼結單強減輕許壓縮藝術賽龐膠質紙雲極蠟鋼馬國場機遊戲週圍錄過"
        "處義麗優專業細節緻車寶樹裝襯體現覺當來進達該說話類顯響龍間靜頂餘齊齒嗎夢寫據攝數於書會橫殘氣溫潤濾灑"
        "燈環級組絲維網編總聯聲萬蓋虛製計設護豐負較針銅錯雜飄飲飾鮮狀區連適帶擾號訊幹隻韻刪彌銹繞鬱艷豔紛絢衝"
        "愛爾倫諾劇塗煙鐘錶庫傘櫚鯨棗貓鑲磚階隨"
    ),
    (
        "图画变转铅笔线绘动点复复怀旧电风晕颗对调饱浅浓锐镜颜红黄蓝绿肤头发发脸墙标志阴换为将让给与这个张两里"
        "里后边侧并还请谢烦别无没样种雾阳时双层叠贴结单强减轻许压缩艺术赛庞胶质纸云极蜡钢马国场机游戏周围录过"
        "处义丽优专业细节致车宝树装衬体现觉当来进达该说话类显响龙间静顶余齐齿吗梦写据摄数于书会横残气温润滤洒"
        "灯环级组丝维网编总联声万盖虚制计设护丰负较针铜错杂飘饮饰鲜状区连适带扰号讯干只韵删弥锈绕郁艳艳纷绚冲"
        "爱尔伦诺剧涂烟钟表库伞榈鲸枣猫镶砖阶随"
    ),
)
"""Traditional characters, and the simplified ones that texts and phrases are compared by."""
