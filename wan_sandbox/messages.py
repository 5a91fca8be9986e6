"""The sentences of the API that a person reads, in English and Korean.

The texts of the model's inputs stand beside their rules in ``input_schema.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("en", "ko")

# What the preview adds to a prompt that is to be extended, in the language of the prompt.
POLISH: Final[Mapping[str, str]] = {
    "en": ", balanced light, clear detail, gentle contrast",
    "ko": ", 균형 잡힌 빛, 또렷한 디테일, 은은한 대비",
    "ja": "、バランスの取れた光、くっきりしたディテール、やわらかなコントラスト",
    "zh": "，光线均衡，细节清晰，对比柔和",
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "unauthorised": {
        "en": "The token is missing, wrong or expired.",
        "ko": "토큰이 없거나 잘못되었거나 만료되었습니다.",
    },
    "unknown_model": {
        "en": "There is no model of this name here.",
        "ko": "그런 이름의 모델이 없습니다.",
    },
    "no_balance": {
        "en": "Your balance is used up.",
        "ko": "잔액이 부족합니다.",
    },
    "not_yours": {
        "en": "This request belongs to another account.",
        "ko": "다른 계정의 요청입니다.",
    },
    "no_request": {
        "en": "There is no such request, or it was deleted or has expired.",
        "ko": "요청이 없거나 삭제되었거나 만료되었습니다.",
    },
    "no_file": {
        "en": "There is no such file, or it has expired.",
        "ko": "파일이 없거나 만료되었습니다.",
    },
    "altered_address": {
        "en": "The address of this file was altered: use it byte for byte.",
        "ko": "파일 주소가 바뀌었습니다. 받은 주소를 그대로 사용하세요.",
    },
    "no_route": {
        "en": "There is nothing at this address.",
        "ko": "이 주소에는 아무것도 없습니다.",
    },
    "wrong_method": {
        "en": "This address takes another method.",
        "ko": "이 주소에는 다른 메서드를 써야 합니다.",
    },
    "not_ready": {
        "en": "The result is not ready yet.",
        "ko": "결과가 아직 준비되지 않았습니다.",
    },
    "body_too_large": {
        "en": "The request body is larger than {limit} bytes.",
        "ko": "요청 본문이 {limit}바이트보다 큽니다.",
    },
    "body_too_slow": {
        "en": "The request body took too long to arrive.",
        "ko": "요청 본문이 너무 늦게 도착했습니다.",
    },
    "defect": {
        "en": "Something went wrong inside the sandbox.",
        "ko": "샌드박스 내부에서 문제가 생겼습니다.",
    },
    "queue_full": {
        "en": "Too many requests are waiting. Try again later.",
        "ko": "대기 중인 요청이 너무 많습니다. 나중에 다시 시도하세요.",
    },
    "storage_full": {
        "en": "The storage is full. Try again later.",
        "ko": "저장 공간이 가득 찼습니다. 나중에 다시 시도하세요.",
    },
    "invalid": {
        "en": "The request is not valid: {first}",
        "ko": "요청이 올바르지 않습니다: {first}",
    },
    "json_invalid": {
        "en": "The body is not readable as JSON.",
        "ko": "본문을 JSON으로 읽을 수 없습니다.",
    },
    "object_type": {
        "en": "The body must be a JSON object.",
        "ko": "본문은 JSON 객체여야 합니다.",
    },
    "missing": {
        "en": "This field is required.",
        "ko": "필수 항목입니다.",
    },
    "string_type": {
        "en": "This must be a string.",
        "ko": "문자열이어야 합니다.",
    },
    "integer_type": {
        "en": "This must be an integer.",
        "ko": "정수여야 합니다.",
    },
    "boolean_type": {
        "en": "This must be true or false.",
        "ko": "true 또는 false여야 합니다.",
    },
    "array_type": {
        "en": "This must be a list.",
        "ko": "목록이어야 합니다.",
    },
    "string_unicode": {
        "en": "This text is not valid Unicode.",
        "ko": "올바른 유니코드 문자열이 아닙니다.",
    },
    "enum": {
        "en": "This must be one of: {choices}.",
        "ko": "다음 가운데 하나여야 합니다: {choices}.",
    },
    "rule": {
        "en": "{message} Here it is {measured}; the rule is {rule}.",
        "ko": "{message} 현재 값은 {measured}, 규칙은 {rule}입니다.",
    },
    "url_scheme": {
        "en": "This must be an https URL or a data URI of an image.",
        "ko": "https 주소이거나 이미지의 data URI여야 합니다.",
    },
    "url_too_long": {
        "en": "This URL is too long.",
        "ko": "주소가 너무 깁니다.",
    },
    "data_uri": {
        "en": "This data URI cannot be read; it must look like data:image/png;base64,…",
        "ko": "data URI를 읽을 수 없습니다. data:image/png;base64,… 형식이어야 합니다.",
    },
    "data_uri_refused": {
        "en": "Data URIs are not accepted here: send a public https URL.",
        "ko": "data URI는 받지 않습니다. 공개된 https 주소를 보내세요.",
    },
    "url_address": {
        "en": "This address is not public, so the image is not fetched from it.",
        "ko": "공개된 주소가 아니어서 이미지를 가져오지 않습니다.",
    },
    "url_fetch": {
        "en": "The image could not be fetched from this URL.",
        "ko": "이 주소에서 이미지를 가져오지 못했습니다.",
    },
    "image_unreadable": {
        "en": "This is not an image that can be read; send JPEG, PNG, BMP or WEBP.",
        "ko": "읽을 수 없는 이미지입니다. JPEG, PNG, BMP, WEBP를 보내세요.",
    },
    "image_too_large": {
        "en": "This image has far too many pixels.",
        "ko": "이미지의 픽셀 수가 너무 많습니다.",
    },
    "image_alpha": {
        "en": "A PNG must not have an alpha channel.",
        "ko": "PNG에는 알파 채널이 없어야 합니다.",
    },
    "unknown_fault": {
        "en": "X-Sandbox-Fault: {reason}",
        "ko": "X-Sandbox-Fault: {reason}",
    },
    "run_time": {
        "en": "X-Sandbox-Run-Time must be a number of seconds from 0 to {limit}.",
        "ko": "X-Sandbox-Run-Time은 0에서 {limit} 사이의 초여야 합니다.",
    },
    "drawing_failed": {
        "en": "The preview could not be drawn.",
        "ko": "미리보기를 그리지 못했습니다.",
    },
    "page_title": {
        "en": "Wan sandbox",
        "ko": "Wan 샌드박스",
    },
    "page_intro": {
        "en": "A stand-in for the Model API on this computer. It speaks the same protocol and "
        "costs nothing. It draws a simple local preview; it is not the model.",
        "ko": "이 컴퓨터에서 동작하는 Model API 대역입니다. 같은 프로토콜을 쓰고 비용이 없습니다. "
        "간단한 로컬 미리보기를 그릴 뿐이며 실제 모델이 아닙니다.",
    },
    "page_any_token": {
        "en": "Any token will do.",
        "ko": "토큰은 아무것이나 쓸 수 있습니다.",
    },
    "page_one_token": {
        "en": "It takes one token: the one that it was started with.",
        "ko": "시작할 때 지정한 토큰만 받습니다.",
    },
    "page_try": {
        "en": "Try it",
        "ko": "사용해 보기",
    },
    "page_queue": {
        "en": "The queue at this moment",
        "ko": "지금 대기열",
    },
    "page_waiting": {
        "en": "Waiting",
        "ko": "대기 중",
    },
    "page_running": {
        "en": "Running",
        "ko": "실행 중",
    },
    "page_accepted": {
        "en": "Accepted since the start",
        "ko": "시작 이후 접수",
    },
    "page_somebody": {
        "en": "somebody else",
        "ko": "다른 사람",
    },
    "page_clients": {
        "en": "Point a client at it",
        "ko": "클라이언트 연결하기",
    },
    "page_clients_hint": {
        "en": "The first line is for this project, the second for the vendor's command line. A client that downloads "
        "from the vendor's hosts alone finds the results too when the hosts file names this computer "
        "sandbox.runcomfy.net and the base URL has that name; one that insists on https needs a proxy with TLS in "
        "front, and --public-url.",
        "ko": "첫 줄은 이 프로젝트, 둘째 줄은 공급사 명령줄 도구용입니다. 공급사 호스트에서만 내려받는 클라이언트는 hosts 파일에서 이 컴퓨터를 "
        "sandbox.runcomfy.net으로 지정하고 그 이름을 기본 URL에 쓰면 결과를 받을 수 있습니다. https만 쓰는 클라이언트는 앞단에 TLS 프록시를 두고 "
        "--public-url을 지정해야 합니다.",
    },
    "page_empty": {
        "en": "Nobody is waiting.",
        "ko": "대기 중인 요청이 없습니다.",
    },
    "page_place": {
        "en": "Position",
        "ko": "순서",
    },
    "page_request": {
        "en": "Request",
        "ko": "요청",
    },
    "page_waited": {
        "en": "Waiting for",
        "ko": "대기 시간",
    },
    "page_seconds": {
        "en": "{seconds} s",
        "ko": "{seconds}초",
    },
    "page_faults": {
        "en": "Faults that can be switched on",
        "ko": "켤 수 있는 장애",
    },
    "page_faults_hint": {
        "en": "Name them in the header X-Sandbox-Fault of a submit, or start the sandbox with --fault.",
        "ko": "제출할 때 X-Sandbox-Fault 헤더에 적거나 --fault 옵션으로 샌드박스를 시작합니다.",
    },
    "page_docs": {
        "en": "Description of the API",
        "ko": "API 설명",
    },
    "free": {
        "en": "The sandbox is free: nothing leaves this computer and nothing is charged.",
        "ko": "샌드박스는 무료입니다. 아무것도 이 컴퓨터를 떠나지 않고 비용도 없습니다.",
    },
    "rehearsed_price": {
        "en": "A price for rehearsals: the sandbox never charges anything.",
        "ko": "연습용 가격입니다. 샌드박스는 비용을 청구하지 않습니다.",
    },
}


def say(key: str, language: str, **values: Any) -> str:
    """Return a sentence in one language, with its values filled in."""
    return TEXTS[key][language].format(**values)


def language_of(accept_language: str) -> str:
    """Choose the language that an ``Accept-Language`` header prefers among those spoken here."""
    best, best_weight = LANGUAGES[0], 0.0
    for choice in accept_language.split(","):
        tag, _, weight_text = choice.partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        try:
            weight = float(weight_text or 1)
        except ValueError:
            continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
