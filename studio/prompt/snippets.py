"""The form as code that runs as pasted: Python, curl, and the command line.

None of it holds a token. A page over the sandbox gives code that makes local previews, even if there is a token in the
person's environment.
"""

from __future__ import annotations

import json
import mimetypes
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from studio.views.render import render
from wan_client import ImageSize
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    IMAGE_BYTES_MAX,
    MODEL_ID,
    SIDE_MAX,
    SIDE_MIN,
    check_seed,
    tidy,
)
from wan_client.settings import DEFAULT_API_BASE, DEFAULT_DEADLINE, SANDBOX_TOKEN

if TYPE_CHECKING:
    from studio.i18n.texts import Texts

    from .form import Form

# A script in a here-document is one command: an interactive shell neither parses its comments nor exits with it.
_CURL = """\
bash <<'END'
# Needs curl and python3. Pictures are sent as they are, metadata included: JPEG, PNG without alpha, BMP or WebP,
# {side_min} to {side_max} px a side, under {megabytes} MB.
set -euo pipefail
{engine}
data_uri() {{ printf '"data:%s;base64,' "$1"; base64 < "$2" | tr -d '\\n'; printf '"'; }}
pick() {{ python3 -c "import json, re, sys; reply = json.load(sys.stdin); print($1)" 2> /dev/null || true; }}

body=$(mktemp)
trap 'rm -f "$body"' EXIT
{{
  cat <<'JSON'
{{
{settings},
  "image_urls": [
JSON
{images}
  printf ']}}'
}} > "$body"

# A request is paid for, so it is sent once.
reply=$(curl -sS --retry 0 -H @<(auth) -H 'Content-Type: application/json' --data-binary @"$body" \\
  "$API/v1/models/{model}" || true)
id=$(pick 'reply["request_id"]' <<< "$reply")
[[ $id =~ ^[A-Za-z0-9_-]{{1,128}}$ ]] || {{
  printf '%s\\n' "$reply" 'No request id came back. Unless the answer says why, look at the Generations page before' \\
    'you send it again: the run may have been paid for.' >&2
  exit 1
}}
printf 'request %s\\n' "$id" >&2

while [ "$SECONDS" -lt {deadline} ]; do
  reply=$(curl -sS -H @<(auth) "$API/v1/requests/$id/result?include_cost=true" || true)
  case $(pick 'reply["status"].lower()' <<< "$reply") in
    succeeded | success | completed)
      url=$(pick 're.search("https?://[^\\"]+", json.dumps(reply["output"]))[0]' <<< "$reply")
      [ -n "$url" ] || {{ printf '%s\\n' "$reply" >&2; exit 1; }}
      curl -sS -f -g --retry 3 --proto =http,https -o {file} --url "$url"
      printf '%s\\n' {file}
      exit
      ;;
    failed | error | cancelled | canceled)
      printf '%s\\n' "$reply" >&2
      exit 1
      ;;
    '') printf '%s\\n' "$reply" >&2 ;;
  esac
  sleep 3
done
printf 'The run goes on. Ask for its result later: it costs nothing.\\n' >&2
exit 75
END
"""


def python(form: Form, *, sandbox: bool, api_base: str = DEFAULT_API_BASE) -> str:
    """Return the form as a Python script that uses this project's client.

    Args:
        form: What was entered.
        sandbox: Whether the page draws local previews.
        api_base: Where the page's hosted API is.

    Raises:
        InvalidRequest: The size or the seed is none that the model knows.
    """
    lines = ["from wan_client import edit", ""]
    if variables := _environment(sandbox=sandbox, api_base=api_base):
        remark = "  # a local preview: it is not the model, and costs nothing" if sandbox else ""
        lines = ["import os", "", *lines]
        lines += [f"os.environ[{name!r}] = {value!r}{remark}" for name, value in variables.items()]
    given = {name: value.ratio if isinstance(value, ImageSize) else value for name, value in _changed(form).items()}
    arguments = [repr(tidy(form.prompt)), *(repr(name) for name in _names(form))]
    arguments += [f"{name}={value!r}" for name, value in given.items()]
    lines += ["result = edit(", *(f"    {argument}," for argument in arguments), ")", "print(result.path)", ""]
    return "\n".join(lines)


def command(form: Form, *, sandbox: bool, api_base: str = DEFAULT_API_BASE) -> str:
    """Return the form as a call of this project's command, for any POSIX shell.

    Args:
        form: What was entered.
        sandbox: Whether the page draws local previews.
        api_base: Where the page's hosted API is.

    Raises:
        InvalidRequest: The size or the seed is none that the model knows.
    """
    prompt, changed = tidy(form.prompt), _changed(form)
    variables = _environment(sandbox=sandbox, api_base=api_base)
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    words += ["python", "-m", "wan_client", "edit"]
    if "negative_prompt" in changed:  # joined on, because it may begin with a dash
        words.append(f"--negative-prompt={shlex.quote(str(changed['negative_prompt']))}")
    if isinstance(size := changed.get("image_size"), ImageSize):
        words += ["--image-size", size.ratio]
    if "seed" in changed:
        words += ["--seed", str(changed["seed"])]
    if "prompt_extend" in changed:
        words.append("--prompt-extend" if changed["prompt_extend"] else "--no-prompt-extend")
    if prompt.startswith("-"):
        words.append("--")
    return " ".join([*words, shlex.quote(prompt), *(shlex.quote(name) for name in _names(form))]) + "\n"


def curl(form: Form, *, sandbox: bool, api_base: str = DEFAULT_API_BASE) -> str:
    """Return the form as a script with curl: submit, poll for the result, download.

    Args:
        form: What was entered.
        sandbox: Whether the page draws local previews.
        api_base: Where the page's API is: the hosted one, or its sandbox.

    Raises:
        InvalidRequest: The size or the seed is none that the model knows.
    """
    names = _names(form)
    images = [f"  data_uri {_media_type(name)} {shlex.quote(name)}" for name in names]
    values = {"prompt": tidy(form.prompt), **_changed(form)}
    body = json.dumps(values, ensure_ascii=False, indent=2)
    return _CURL.format(
        side_min=SIDE_MIN,
        side_max=SIDE_MAX,
        megabytes=(IMAGE_BYTES_MAX + 1) // 1_000_000,
        engine=_engine(sandbox=sandbox, api_base=api_base),
        # An older interactive shell expands a ! even here.
        settings=body.removeprefix("{\n").removesuffix("\n}").replace("!", "\\u0021"),
        images="\n  printf ','\n".join(images),
        model=MODEL_ID,
        deadline=int(DEFAULT_DEADLINE),
        file='"local-preview_$id.png"' if sandbox else '"$id.png"',
    )


def panel(texts: Texts, form: Form, *, sandbox: bool, api_base: str = DEFAULT_API_BASE) -> str:
    """Render all three, each collapsed, with a button that copies it.

    A button copies the text of the `pre` in its `.snippet`. Its `data-copy` is its label afterwards.

    Args:
        texts: The visitor's language.
        form: What was entered.
        sandbox: Whether the page draws local previews.
        api_base: Where the page's API is.

    Raises:
        InvalidRequest: The size or the seed is none that the model knows.
    """
    needs = texts("snippet.files", names=", ".join(_names(form)))
    engine = texts("snippet.preview" if sandbox else "snippet.token")
    snippets = {
        "snippet.python": python(form, sandbox=sandbox, api_base=api_base),
        "snippet.curl": curl(form, sandbox=sandbox, api_base=api_base),
        "snippet.command": command(form, sandbox=sandbox, api_base=api_base),
    }
    return render("code", texts=texts, needs=needs, engine=engine, snippets=snippets.items())


def _environment(*, sandbox: bool, api_base: str) -> dict[str, str]:
    """Return the environment variables that make the client use the page's engine."""
    if sandbox:
        return {"WAN_BACKEND": "sandbox"}
    return {} if api_base == DEFAULT_API_BASE else {"RUNCOMFY_API_BASE": api_base}


def _engine(*, sandbox: bool, api_base: str) -> str:
    """Return the lines that set curl's API base and token. The token stays out of the list of processes."""
    if sandbox:
        return (
            f"API={shlex.quote(api_base)}  # draws a local preview: not the model. Elsewhere: python -m wan_sandbox\n"
            f"auth() {{ printf 'Authorization: Bearer {SANDBOX_TOKEN}'; }}"
        )
    return (
        f"API=${{RUNCOMFY_API_BASE:-{api_base}}}\n"
        ': "${RUNCOMFY_API_TOKEN:?holds no token}"\n'
        "auth() { printf 'Authorization: Bearer %s' \"$RUNCOMFY_API_TOKEN\"; }"
    )


def _changed(form: Form) -> dict[str, str | int | bool | ImageSize]:
    """Return the values that differ from the model's defaults, in the schema's order."""
    size = ImageSize.parse(form.image_size)
    negative_prompt, seed = tidy(form.negative_prompt or ""), DEFAULT_SEED if form.seed is None else form.seed
    values: dict[str, tuple[str | int | bool | ImageSize, object]] = {
        "negative_prompt": (negative_prompt, DEFAULT_NEGATIVE_PROMPT),
        "image_size": (size, DEFAULT_IMAGE_SIZE),
        "seed": (check_seed(seed), DEFAULT_SEED),
        "prompt_extend": (form.prompt_extend, DEFAULT_PROMPT_EXTEND),
    }
    return {name: value for name, (value, default) in values.items() if value != default}


def _names(form: Form) -> list[str]:
    """Return names for the pictures' files, numbered where some are alike, as those of pasted pictures are."""
    paths = [path for path in form.slots if path] or ["image-1.jpg"]
    names = [Path(path).name for path in paths]
    if len(set(names)) < len(names):
        names = [f"image-{number}{Path(name).suffix}" for number, name in enumerate(names, 1)]
    # A name that looks like an option or an address would be taken for one.
    return [name if name[0].isalnum() and ":" not in name else f"./{name}" for name in names]


def _media_type(name: str) -> str:
    kind = mimetypes.guess_type(name)[0] or ""
    return kind if kind.startswith("image/") else "image/jpeg"
