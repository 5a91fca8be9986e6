"""Every word that the reader knows. To teach it another way of asking, add the phrase to its row.

Phrases are separated by `|`. A `~` at the end lets any ending follow (`darken~`: darkened; `어둡~`: 어둡게).
Without it the phrase stands alone in English, and takes the usual particles in Korean (수채화로, 수채화 느낌으로).
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
    """Phrases in both languages, and what they mean: an operation, or a part of speech with a value."""

    name: str
    english: str
    korean: str
    value: str | int = ""


@dataclass(frozen=True)
class OperationRow(Row):
    """Phrases that ask for an operation.

    `source` says how the reference that something is taken from is introduced, the surest way first:
    of (of, from, 의), like (like, as, 처럼), with (with, by, 로), to (to, on, in, 에), object (를), bare (nothing),
    or last (whatever comes last).
    """

    kind: Kind = "look"
    parameters: Mapping[str, object] = field(default_factory=dict)
    source: tuple[str, ...] = ()


def _look(op: str, english: str, korean: str, **parameters: object) -> OperationRow:
    return OperationRow(op, english, korean, kind="look", parameters=parameters)


def _adjust(op: str, english: str, korean: str) -> OperationRow:
    return OperationRow(op, english, korean, kind="adjustment")


def _source(op: str, english: str, korean: str, source: str, **parameters: object) -> OperationRow:
    return OperationRow(op, english, korean, kind="source", parameters=parameters, source=tuple(source.split()))


def _layout(op: str, english: str, korean: str, **parameters: object) -> OperationRow:
    return OperationRow(op, english, korean, kind="layout", parameters=parameters)


OPERATION_ROWS: tuple[OperationRow, ...] = (
    _look(
        "pencil_sketch",
        "pencil sketch~ | pencil drawing~ | pencil | pencils | pencil art | pencil portrait | graphite | "
        "graphite drawing | graphite sketch | sketch | sketched | sketches | sketchy | sketch drawing | "
        "charcoal | charcoal drawing | charcoal sketch | hand drawn sketch | line sketch",
        "연필 스케치 | 연필화 | 연필 그림 | 연필 드로잉 | 연필 소묘 | 연필 | 스케치 | 소묘 | 목탄화 | 목탄",
    ),
    _look(
        "pencil_sketch",
        "coloured pencil~ | colored pencil~ | colour pencil~ | color pencil~ | coloured sketch | colored sketch | "
        "crayon | crayons | crayon drawing~ | chalk drawing~ | pastel drawing~ | pastel sketch | oil pastel~ | "
        "soft pastels",
        "색연필 | 색연필화 | 색연필 그림 | 색연필 스케치 | 크레용 | 크레용 그림 | 크레파스 | 파스텔화 | 파스텔 그림",
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
    ),
    _look(
        "watercolour",
        "watercolour | watercolor | watercolours | watercolors | water colour | water color | "
        "watercolour painting~ | watercolor painting~ | water colour painting~ | water color painting~ | "
        "aquarelle | watercolour art | watercolor art | "
        "gouache",
        "수채화 | 수채 | 수채 물감 | 수채화 그림 | 워터컬러 | 과슈",
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
    ),
    _look(
        "comic",
        "comic | comics | comic book~ | comic style | comic strip | comic panel | cartoon | cartoons | "
        "cartoonish | cartoonize~ | cartoonise~ | manga | anime | graphic novel | cel shaded | "
        "cel shading | toon | cartoonify~ | comic book art | cartoon filter",
        "만화 | 만화책 | 만화 그림 | 코믹 | 코믹스 | 카툰 | 웹툰 | 망가 | 애니메이션 | 애니 | 그래픽 노블",
    ),
    _look(
        "pixel_art",
        "pixel art | pixel | pixels | pixelart | pixelate~ | pixellate~ | pixelize~ | 8 bit | eight bit | "
        "16 bit | retro game~ | retro video game~ | video game sprite | 8 bit game | game boy | "
        "minecraft",
        "픽셀 아트 | 픽셀 | 픽셀화 | 도트 | 도트 그림 | 도트 그래픽 | "
        "도트 아트 | 8비트 | 16비트 | 레트로 게임 | 게임보이 | 마인크래프트",
    ),
    _look(
        "duotone",
        "duotone | duotones | duo tone | two tone | two tones | two colours | two colors | bichrome",
        "듀오톤 | 두 가지 색 | 두 색 | 투톤 | 이색 | 2색",
    ),
    _look(
        "sepia",
        "sepia | sepia tone~ | sepia toned | old brown photo | antique photo | daguerreotype",
        "세피아 | 세피아톤 | 세피아 색 | 갈색 톤 | 갈색조",
    ),
    _look(
        "black_and_white",
        "black and white | black & white | black n white | black white | b&w | b & w | b n w | b w | "
        "monochrome | monochromatic | greyscale | "
        "grayscale | grey scale | gray scale | desaturate completely | remove the colour | "
        "remove the color | remove colour | remove color | remove all colour | remove all color | "
        "no colour | no color | without colour | without color",
        "흑백 | 흑백 사진 | 모노크롬 | 무채색 | 그레이스케일 | 색을 빼~ | 색을 없애~ | 색을 제거~",
    ),
    _look(
        "noir",
        "noir | film noir | noir film | noir movie | neo noir | noirish",
        "누아르 | 느와르 | 누아르 영화 | 느와르 영화 | 필름 누아르 | 필름 느와르 | 누와르",
    ),
    _look(
        "neon",
        "neon | neons | neon light | neon lights | neon glow | neon style | neon outline | neon outlines | "
        "neon colours | neon colors | synthwave | cyberpunk | tron | vaporwave",
        "네온 | 네온 사인 | 네온빛 | 네온 불빛 | 네온 라이트 | 사이버펑크 | 신스웨이브",
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
    ),
    _look(
        "night",
        "night | nighttime | night time | at night | night scene | midnight | nocturnal | nocturne | "
        "moonlit | moonlight | after dark | day for night | night mode",
        "밤 | 밤중 | 한밤 | 한밤중 | 야간 | 야경 | 밤 풍경 | 밤 장면 | 밤 시간 | 달빛 | 심야",
    ),
    _look(
        "golden_hour",
        "golden hour | golden hours | golden light | golden sunlight | golden glow | sunset | "
        "sunset light | sunset lighting | sunset colours | sunset colors | at sunset | sundown | dusk | "
        "sunrise | evening light | warm evening light | late afternoon | late afternoon light | "
        "magic hour",
        "골든 아워 | 골든아워 | 황금빛 | 황금 시간 | 황금 시간대 | 노을 | 노을빛 | 저녁노을 | 석양 | "
        "해질녘 | 해 질 녘 | 해 질 무렵 | 해질 무렵 | 일몰 | 일출 | 매직 아워",
    ),
    _look(
        "snow",
        "snow | snowy | snowing | snowfall | snow falling | falling snow | snowflakes | snow flakes | "
        "snowstorm | blizzard | winter | wintry | in winter | winter scene",
        "눈이 오~ | 눈도 오~ | 눈도 내~ | 눈이 내~ | 눈 오~ | 눈 내~ | 눈이 펑펑 | 눈을 뿌~ | 눈을 내~ | "
        "눈송이 | 함박눈 | 눈보라 | 설경 | 눈발 | 겨울 | 겨울 풍경 | 눈 효과 | 눈 오는 날 | 눈 내리는 날 | "
        "눈이 오는 날 | 눈이 내리는 날",
    ),
    _look(
        "rain",
        "rain | rainy | raining | rainfall | rain falling | falling rain | raindrops | rain drops | "
        "rainstorm | downpour | rainy day | drizzle | drizzling",
        "비가 오~ | 비도 오~ | 비도 내~ | 비가 내~ | 비 오~ | 비 내~ | 비를 뿌~ | 비를 내~ | 빗방울 | "
        "빗줄기 | 소나기 | 폭우 | 장마 | 비 효과 | 비오는 날 | 비 오는 날 | 비가 오는 날 | 비 내리는 날 | "
        "비가 내리는 날 | 우천",
    ),
    _look(
        "fog",
        "fog | foggy | fogged | mist | misty | haze | hazy",
        "안개 | 안개가 낀 | 안개 낀 | 안개가 자욱~ | 안개 자욱~ | 물안개 | 뿌옇~ | 뿌연",
    ),
    _look(
        "pop_art",
        "pop art | popart | warhol | andy warhol | warhol style | lichtenstein | halftone | halftone dots | "
        "screen print | "
        "screenprint | silkscreen | silk screen",
        "팝아트 | 팝 아트 | 워홀 | 앤디 워홀 | 하프톤 | 망점 | 실크스크린",
    ),
    _look(
        "mosaic",
        "mosaic | mosaics | mosaic tiles | tiled | tesserae | stained glass",
        "모자이크 | 모자이크 타일 | 타일 | 스테인드글라스",
    ),
    _look(
        "blueprint",
        "blueprint | blueprints | blue print | cyanotype | technical drawing | architectural drawing",
        "청사진 | 설계도 | 도면 | 블루프린트 | 시아노타입",
    ),
    _look(
        "glitch",
        "glitch | glitches | glitched | glitchy | glitch art | glitch effect | datamosh~ | databending | "
        "vhs | vhs tape | camcorder | 90s camcorder | corrupted | rgb split | chromatic aberration",
        "글리치 | 글리치 아트 | 글리치 효과 | 노이즈 화면 | 브이에이치에스 | 색수차 | 캠코더",
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
    ),
    _adjust(
        "darker",
        "dark | darker | darken~ | moody | moodier | it's too bright | it is too bright | looks too bright | "
        "dim | dimmer | dimmed | less bright | less light | less brightness | "
        "low key | reduce the brightness | lower the brightness | decrease the brightness | "
        "lower brightness | exposure down",
        "너무 밝아~ | 너무 밝은데~ | 어둡~ | 어두~ | 어둑~ | "
        "밝기를 낮~ | 밝기를 줄~ | 노출을 낮~ | 노출을 줄~ | 덜 밝~",
    ),
    _adjust(
        "more_contrast",
        "contrast | contrasty | more contrast | higher contrast | high contrast | increase the contrast | "
        "raise the contrast | boost the contrast | increase contrast | boost contrast | punchy | punchier | "
        "dramatic contrast | deeper shadows | dramatic | cinematic | movie look",
        "대비 | 대비를 높~ | 대비를 올~ | 대비를 강~ | 대비를 키~ | 높은 대비 | 강한 대비 | 콘트라스트 | "
        "콘트라스트를 높~ | 콘트라스트를 올~ | "
        "드라마틱~ | 시네마틱~ | 극적인 | 극적으로 | 영화처럼 | 영화 느낌 | 영화 같은",
    ),
    _adjust(
        "less_contrast",
        "less contrast | lower contrast | low contrast | reduce the contrast | lower the contrast | "
        "decrease the contrast | reduce contrast | decrease contrast | flatter | softer contrast | matte",
        "대비를 낮~ | 대비를 줄~ | 낮은 대비 | 콘트라스트를 낮~ | 콘트라스트를 줄~ | 덜 대비",
    ),
    _adjust(
        "warmer",
        "warm | warmer | warmth | more warmth | warm tone~ | warm colours | warm colors | warm light | "
        "warm up | warmly | less cold | less cool | hotter | warmer tones | warmer colours | "
        "warmer colors",
        "덜 차갑~ | 따뜻~ | 따듯~ | 따스~ | 포근하~ | 포근한 | 난색 | 웜톤 | 웜 톤",
    ),
    _adjust(
        "cooler",
        "cool | cooler | cold | colder | chilly | icy | cool tone~ | cold tone~ | cool colours | "
        "cool colors | cold colours | cold colors | cold light | less warm | cool down | cooler tones | "
        "colder tones | cooler colours | cooler colors",
        "덜 따뜻~ | 차갑~ | 차가~ | 시원하~ | 시원한 | 서늘하~ | 서늘한 | 쿨톤 | 쿨 톤 | 한색",
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
    ),
    _adjust(
        "sharpen",
        "sharp | sharper | sharpen~ | sharpness | more sharpness | crisp | crisper | more detail | "
        "more details | enhance the details | clearer | in focus | unblur~ | deblur~ | less blurry | "
        "less blur | remove the blur | remove blur",
        "선명~ | 또렷~ | 샤프~ | 뚜렷~ | 날카롭~ | 흐림 제거 | 디테일을 살~",
    ),
    _adjust(
        "blur",
        "blur | blurs | blurred | blurry | blurrier | blurring | blurriness | gaussian blur | "
        "out of focus | unfocused | soft focus | softer | soften~ | dreamy",
        "흐리~ | 흐릿~ | 흐린 | 흐려~ | 블러 | 뽀얗~ | 뽀얀 | 초점이 나간 | 아웃포커스 | 아웃 포커스 | "
        "부드럽~ | 몽환적~",
    ),
    _adjust(
        "vignette",
        "vignette | vignettes | vignetting | dark corners | dark edges | darken the corners | "
        "darken the edges | darker corners | darker edges",
        "비네팅 | 비네트 | 비네트 효과 | 가장자리를 어둡~ | 모서리를 어둡~",
    ),
    _adjust(
        "tint",
        "tint | tinted | colour cast | color cast | colour overlay | color overlay | hue",
        "틴트 | 색조 | 색 오버레이",
    ),
    _adjust("grain", "grain | grainy | film grain | noise | noisy", "그레인 | 필름 그레인 | 입자감 | 입자 | 노이즈"),
    _adjust(
        "invert",
        "invert | inverted | invert the colours | invert the colors | inverted colours | inverted colors | "
        "negative | photo negative | film negative | negative film",
        "반전 | 색상 반전 | 색 반전 | 색상을 반전~ | 색을 반전~ | 네거티브 | 네거티브 필름",
    ),
    _adjust(
        "mirror",
        "mirror | mirrored | mirror image | flip | flipped | flip horizontally | flip it horizontally | "
        "mirror horizontally",
        "좌우 반전 | 좌우반전 | 좌우를 뒤집~ | 좌우로 뒤집~ | 거울처럼 | 미러링",
    ),
    _adjust(
        "polish",
        "polish | polished | enhance | enhanced | improve | improved | better | nicer | beautiful | "
        "more beautiful | stunning | gorgeous | pretty | retouch | retouched | touch up | professional | "
        "more professional | auto enhance",
        "보정 | 보정~ | 개선~ | 향상~ | 예쁘게 | 이쁘게 | 멋지게 | 멋있게 | 더 좋게 | 고급스럽게",
    ),
    _adjust(
        "neutral_grade",
        "neutral grade | neutral | neutral tones | neutral colours | neutral colors | natural | "
        "natural colours | natural colors | natural look | natural light | balanced colours | "
        "balanced colors | white balance",
        "자연스럽게 | 자연스러운 | 자연스러운 색 | 자연스러운 색감 | 중립 | 화이트 밸런스 | 기본 보정",
    ),
    # The first row that fits a clause decides where the colours come from.
    _source(
        "colours_of",
        "match | matches | matching | match the colours of | match the colors of | match colours | match colors",
        "맞춰~ | 맞추~ | 맞게",
        "last",
    ),
    _source(
        "colours_of",
        "colours | colors | colour | color | colouring | coloring | palette | colour palette | "
        "color palette | colour scheme | color scheme | colour grade | color grade | colour grading | "
        "color grading | colour tone | color tone | colour tones | color tones | tones | tonality | "
        "recolour | recolor | colour reference | color reference | colour grade it | colour mood",
        "색감 | 색상 | 색깔 | 색 | 색조합 | 색채 | 색 조합 | 팔레트 | 컬러 | 컬러 톤 | 컬러톤 | 톤 | 색톤 | "
        "색 톤 | 색조",
        "like of with bare",
    ),
    _layout(
        "side_by_side",
        "side by side | next to | next to each other | beside | beside each other | alongside | in a row | "
        "together | collage | combine | combined | comparison | compare | before and after | "
        "left and right | join",
        "나란히 | 나란하~ | 옆에 | 옆으로 | 양옆 | 좌우로 | 한 줄로 | 합쳐~ | 합치~ | 합성~ | 결합~ | "
        "함께 | 비교 | 비교~ | 콜라주 | 이어 붙~ | 이어붙~",
    ),
    _layout(
        "side_by_side",
        "left | on the left | on the left side | on the left of | to the left of | left side | left hand side",
        "왼쪽 | 왼편 | 좌측",
        place="left",
    ),
    _layout("side_by_side", "in the middle | in the centre | in the center", "가운데 | 중앙", place="middle"),
    _layout(
        "side_by_side",
        "right | on the right | on the right side | on the right of | to the right of | right side | right hand side",
        "오른쪽 | 오른편 | 우측",
        place="right",
    ),
    _layout(
        "split",
        "split | split screen | split in half | split view | half and half | half half | divided | "
        "diagonal split | split diagonally",
        "분할 | 화면 분할 | 분할 화면 | 반반 | 반씩 | 절반씩 | 반으로 나~ | 분할~",
    ),
    _layout(
        "triptych",
        "triptych | three panels | three panel | 3 panels | 3 panel | three part | in three parts",
        "세 폭 | 삼면화 | 트립틱 | 세 패널 | 3단 | 세 칸 | 세 부분 | 3분할 | 삼분할 | 세 폭 그림",
    ),
    _layout(
        "double_exposure",
        "double exposure | double exposed | multiple exposure | superimpose~ | overlay | overlaid | "
        "overlaying | blend | blended | blending | merge | merged | fuse | fused | mix | mixed",
        "이중 노출 | 이중노출 | 다중 노출 | 다중노출 | 더블 익스포저 | 겹쳐~ | 겹치~ | 오버레이 | 블렌딩 | "
        "블렌드 | 섞어~ | 섞~",
    ),
    _source(
        "inset",
        "inset | insert | picture in picture | pip | in the corner | in a corner | as a small picture | "
        "as a thumbnail | thumbnail | small in",
        "인셋 | 구석에 | 모서리에 | 귀퉁이에 | 코너에 | 작게 넣~ | 작게 삽입~ | 작게 | 픽처 인 픽처 | 섬네일 | 썸네일",
        "object with bare of",
    ),
    _source(
        "inset",
        "top left | upper left | top left corner | upper left corner",
        "왼쪽 위 | 왼쪽 상단 | 좌측 상단 | 좌상단",
        "object with bare of",
        corner="top_left",
    ),
    _source(
        "inset",
        "top right | upper right | top right corner | upper right corner",
        "오른쪽 위 | 오른쪽 상단 | 우측 상단 | 우상단",
        "object with bare of",
        corner="top_right",
    ),
    _source(
        "inset",
        "bottom left | lower left | bottom left corner | lower left corner",
        "왼쪽 아래 | 왼쪽 하단 | 좌측 하단 | 좌하단",
        "object with bare of",
        corner="bottom_left",
    ),
    _source(
        "inset",
        "bottom right | lower right | bottom right corner | lower right corner",
        "오른쪽 아래 | 오른쪽 하단 | 우측 하단 | 우하단",
        "object with bare of",
        corner="bottom_right",
    ),
    _source(
        "background",
        "as the background | as a background | as background | for the background | as the backdrop | "
        "as a backdrop | as backdrop | background | the background | backdrop | replace the background | "
        "change the background | swap the background | set the background | as the background of | "
        "background of",
        "배경 | 배경으로 | 배경을 | 배경을 바꾸~ | 배경을 바꿔~ | 배경 이미지",
        "with object bare of",
    ),
    _source("background", "in front of | on top of | against", "배경에 | 배경 위에", "to of bare"),
)

COLOURS: dict[str, tuple[str, str, str]] = {
    "red": ("#c8322f", "red | reddish | crimson | scarlet | ruby", "빨간~ | 빨갛~ | 빨강~ | 붉은~ | 붉게 | 레드~"),
    "orange": ("#e07a1f", "orange | orangey | amber | tangerine", "주황~ | 오렌지~"),
    "yellow": ("#e3bb2c", "yellow | yellowish | gold | golden", "노란~ | 노랗~ | 노랑~ | 금색~ | 황금색~"),
    "green": ("#3f8f4a", "green | greenish | emerald", "초록~ | 녹색~ | 푸른 녹색~ | 그린색~ | 그린 톤~ | 연두~"),
    "teal": ("#1f8a8a", "teal | turquoise | cyan | aqua", "청록~ | 틸~ | 하늘색~ | 시안~"),
    "blue": (
        "#2f5fc0",
        "blue | bluish | azure | navy | indigo",
        "파란~ | 파랗~ | 파랑~ | 푸른~ | 푸르~ | 블루~ | 남색~",
    ),
    "purple": ("#7d4bb5", "purple | violet | lilac | lavender | magenta", "보라~ | 자주색~ | 퍼플~ | 마젠타~"),
    "pink": ("#de6fa1", "pink | pinkish | rose coloured", "분홍~ | 핑크~"),
    "brown": ("#7a5230", "brown | brownish | chocolate", "갈색~ | 브라운~"),
}
"""Colour words: the colour they stand for, then the words in English and in Korean."""

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
        "slight",
    ),
    Row(
        "strength",
        "very | much | a lot | lots of | lot | strong | strongly | heavy | heavily | extremely | extreme | "
        "really | super | intense | intensely | completely | totally | far | way | deeply | deep | so | "
        "bold | boldly | dramatically | considerably | significantly | too",
        "매우 | 아주 | 훨씬 | 많이 | 강하게 | 강한 | 진하게 | 진한 | 엄청 | 정말 | 완전 | 완전히 | 극도로 | "
        "확 | 무척 | 굉장히 | 짙은 | 짙게 | 너무",
        "strong",
    ),
    # What a scope covers is not drawn. `honoured`: nothing to do, as the picture keeps it anyway.
    Row(
        "before",
        "don't | dont | don’t | do not | never | avoid | not | without changing | without losing | "
        "without altering | without touching | keep | keeping | leave | leaving | preserve | preserving | "
        "retain | retaining | maintain | maintaining | don't change | do not change | don't make | less",
        "",
        "honoured",
    ),
    Row("before", "instead of | rather than | as opposed to", "", "instead"),
    Row("before", "without | without any | no | with no | minus", "", "refused"),
    Row(
        "after",
        "unchanged | intact | untouched",
        "유지~ | 그대로 | 그대로 두~ | 그대로 둬~ | 보존~ | 말고 | 하지 말~ | 하지 마~ | 하지마~ | "
        "하지 않~ | 않게 | 않은 | 않도록 | 말아~ | 마세요 | 마라 | 말 것 | 대신 | 대신에 | 아니라 | "
        "바꾸지 말~ | 바꾸지 마~ | 건드리지 말~ | 건드리지 마~ | 변경하지 말~ | 변하지 않~",
        "honoured",
    ),
    Row("after", "", "없이 | 없는 | 빼고 | 빼줘 | 제외~", "refused"),
    Row(
        "refuse",
        "remove | remove~ | removing | erase~ | erasing | delete~ | deleting | get rid of | take away | "
        "take out | restore~ | restoring | repair~ | "
        "colorize~ | colourize~ | colorise~ | colourise~ | swap | swapping | replace | replacing | replaced",
        "지워~ | 지우~ | 제거~ | 없애~ | 삭제~ | 교체~ | 복원~ | 복구~",
    ),
    Row(
        "part",
        "background | backdrop | foreground | sky | eye | eyes | hair | face | faces | skin | lips | "
        "mouth | nose | teeth | smile | head | hand | hands | dress | shirt | jacket | clothes | clothing | "
        "hat | wall | floor | grass | text | words | letters | logo | shadow",
        "배경~ | 하늘~ | 눈동자~ | 머리~ | 머리카락~ | 얼굴~ | 피부~ | 입술~ | 치아~ | 옷~ | 셔츠~ | "
        "드레스~ | 재킷~ | 모자~ | 벽~ | 바닥~ | 잔디~ | 글자~ | 글씨~ | 텍스트~ | 로고~ | 그림자~",
    ),
    Row(
        "verb",
        "turn~ | convert~ | transform~ | change~ | paint | paint it | draw | draw it | redraw~ | render~ | "
        "repaint~ | reimagine~ | restyle~ | recreate~ | depict~ | illustrate~ | stylize~ | stylise~ | "
        "express~ | show",
        "바꿔~ | 바꾸~ | 바뀌~ | 변환~ | 변경~ | 변신~ | 그려~ | 그리~ | 표현~ | 만들~ | 만드~ | 전환~ | 꾸며~ | 꾸미~",
        "turn",
    ),
    Row("verb", "make | makes | making | made", "", "make"),
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
        "do",
    ),
    Row("only", "only | just the", "오직"),
    Row(
        "link",
        "into | in to | look like | looks like | look as if | look as though | appear as | look as | "
        "feel like | become",
        "",
        "into",
    ),
    # A reference's manner of drawing cannot be borrowed; "in the style of a comic" can.
    Row(
        "manner",
        "in the style of | style of | in the manner of | art style of",
        "스타일~ | 화풍~ | 그림체~ | 느낌~ | 분위기~ | 감성~ | 무드~",
    ),
    Row("glue", "of | from", "", "of"),
    Row("glue", "like | as | as in | than", "", "like"),
    Row("with", "with", "", "with"),
    Row("glue", "using | by | via | use | based on", "", "with"),
    Row("glue", "to | on | onto | in | inside | over | for | at | upon | under | above | below | within", "", "to"),
    Row(
        "polite",
        "please | pls | plz | plss | plzz | thanks | thank you | thx | ty | hello | hi | hey | ok | okay | lol",
        "제발 | 부디 | 안녕~ | 감사~ | 고마워~",
    ),
    Row("join", "and | & | or | plus", "그리고 | 및 | 또는 | 와 | 과 | 랑"),
    Row(
        "break",
        "then | and then | but | also | while | after that | afterwards | next | finally | first of all | "
        "with added | in addition | additionally | plus",
        "그런 다음 | 그 다음 | 그다음 | 다음에 | 그리고 나서 | 또한 | 또 | 하지만 | 그런데 | 마지막으로",
    ),
    Row(
        "definite",
        "the | this | that | my | our | his | her | their | its | your | these | those",
        "이 | 그 | 저 | 내 | 우리",
    ),
    Row(
        "whole",
        "everything | everywhere | the whole | whole | entire | all of it | overall | the result | result | "
        "final image | final picture | the collage | whole thing",
        "전체~ | 모두 | 전부 | 결과~ | 전반적~",
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
    ),
)
