"""The demo: ``python app.py`` opens the page. A Space runs this file."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace

import studio
from wan_client import Settings, SettingsError
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings


def main() -> int:
    """Start the sandbox if there is no token, then serve the page until it is stopped."""
    try:
        settings = Settings.load()
    except SettingsError as problem:
        print(problem.tell(), file=sys.stderr)  # noqa: T201  # the one thing to say, to the person who started it
        return 64
    with ExitStack() as stack:
        if settings.api_base is None:
            sandbox = stack.enter_context(Sandbox(SandboxSettings(workers=2)))
            settings = replace(settings, api_base=sandbox.url)
        studio.launch(studio.build(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
