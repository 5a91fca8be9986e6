"""Create or update a Hugging Face Space that runs the page: ``python deploy/space.py NAME/SPACE``.

It needs a Hugging Face token with write access, found the usual way (``hf auth login``, or ``HF_TOKEN``). A Space that
is created is private; one that exists stays as it is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parent.parent
# What the page is made of. A file goes up if it is one of these and git knows it: so no .env ever does.
FILES = ("LICENSE", "README.md", "SECURITY.md", "app.py", "requirements.txt")
FOLDERS = ("assets", "studio", "wan_client", "wan_sandbox")
TOKEN = "RUNCOMFY_API_TOKEN"  # noqa: S105  # the variable's name
SECRET_WORDS = ("AUTH", "CREDENTIAL", "KEY", "PASSWORD", "PASSWD", "SECRET")
USAGE, FAILED = 64, 69


def files() -> list[str]:
    """Return the files that the Space gets, as paths from the top of the repository."""
    listed = subprocess.run(  # noqa: S603
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *FILES, *FOLDERS],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    known = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in known if not Path(name).name.startswith(".env")]


def steps(api: HfApi, options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each step in order: its description, and the step."""
    space = options.space
    yield (
        f"create {space} if it is not there ({'public' if options.public else 'private'})",
        partial(
            api.create_repo, space, repo_type="space", space_sdk="gradio", private=not options.public, exist_ok=True
        ),
    )
    # Set before the files are uploaded, so that the first start already has them.
    for name, value in options.variable:
        if is_secret(name, value):
            # Everybody can read a variable, and this script's output may be public.
            yield f"set secret {name}", partial(api.add_space_secret, space, name, value)
        else:
            yield f"set variable {name} to {value}", partial(api.add_space_variable, space, name, value)
    if options.with_token:
        yield f"set secret {TOKEN} from the environment", partial(api.add_space_secret, space, TOKEN, os.environ[TOKEN])
    names = files()
    yield (
        "\n  ".join([f"upload {len(names)} files:", *names]),
        partial(
            api.upload_folder,
            repo_id=space,
            repo_type="space",
            folder_path=ROOT,
            allow_patterns=names,
            delete_patterns=[f"{folder}/*" for folder in FOLDERS],
            commit_message="Update",
        ),
    )


def is_secret(name: str, value: str) -> bool:
    """Return whether a setting is, or may hold, something that not everybody shall read."""
    try:
        address = urlsplit(value)
        has_user = bool(address.username or address.password)
    except ValueError:
        has_user = True
    return has_user or any(word in name.upper() for word in SECRET_WORDS)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "space", type=_space, metavar="NAME/SPACE", help="the Space, under your name or your organisation's"
    )
    parser.add_argument("--public", action="store_true", help="if it is created, create it public")
    parser.add_argument(
        "--with-token",
        action="store_true",
        help=f"store {TOKEN} of the environment as the Space's secret: runs are then paid for",
    )
    parser.add_argument(
        "--variable",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="set a variable of the Space, such as WAN_LIMIT_BUDGET=5, which everybody can read; what looks like a "
        "password, or an address with one, becomes a secret instead; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the steps, or only print them (``--dry-run``); return the exit code."""
    options = parse(arguments)
    if options.with_token and not os.environ.get(TOKEN):
        print(f"{TOKEN} is not set in the environment.", file=sys.stderr)
        return USAGE
    try:
        for description, step in steps(HfApi(), options):
            print(f"would {description}" if options.dry_run else description)
            if not options.dry_run:
                step()
    except (HfHubHTTPError, LocalTokenNotFoundError) as problem:
        print(f"Hugging Face refused: {problem}", file=sys.stderr)
        return FAILED
    except (OSError, httpx.TransportError, OfflineModeIsEnabled) as problem:
        print(f"Hugging Face can't be reached: {type(problem).__name__}. Is this machine offline?", file=sys.stderr)
        return FAILED
    return 0


def _space(text: str) -> str:
    owner, _, name = text.partition("/")
    if not owner or not name or "/" in name:
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME/SPACE: name its owner too")
    return text


def _variable(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"“{name}” is not NAME=VALUE")
    if "TOKEN" in name.upper():
        raise argparse.ArgumentTypeError("everybody can read a variable: use --with-token for the token")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
