"""The demo: ``python app.py`` opens the page. A Space runs this file."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace

from studio import telemetry
from studio.i18n.texts import texts_for
from studio.settings import PageSettings, wants_json
from wan_client import SettingsError
from wan_client.settings import read_environment
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

BAD_SETTING, UNAVAILABLE, INTERRUPTED = 64, 69, 130


def main() -> int:
    """Start the sandbox if there is no token, then serve the page until it is asked to stop."""
    try:
        # First of all: a setting that can't be used is a line of the log too.
        telemetry.write_logs(as_json=wants_json(read_environment()))
        settings = PageSettings.load()
        settings.hand_over()
        # Only now: Gradio reads the environment when it is imported.
        from studio.server import PortTaken, Server, stop_on_signals  # noqa: PLC0415

        with ExitStack() as stack:
            stop_on_signals()
            if settings.engine.api_base is None:
                sandbox = stack.enter_context(Sandbox(SandboxSettings(workers=2)))
                settings = replace(settings, engine=replace(settings.engine, api_base=sandbox.url))
            try:
                Server(settings).run()
            except PortTaken as problem:
                return _say(str(problem), UNAVAILABLE)
    except SettingsError as problem:
        return _say(texts_for(None).sentences(problem, sandbox=False), BAD_SETTING)
    except KeyboardInterrupt:
        # Told once more while it was stopping, or before it served.
        return INTERRUPTED
    return 0


def _say(problem: str, code: int) -> int:
    """Say the one thing to say to the person who started it: in a log of JSON, as one of its lines."""
    print(problem, file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
