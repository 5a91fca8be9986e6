"""The demo: ``python app.py`` opens the page. A Space runs this file."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import gradio_import, telemetry
from studio.i18n.texts import texts_for
from studio.settings import PageSettings, wants_json, wants_tools
from wan_client import SettingsError
from wan_client.settings import read_environment
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.stage.programme import Rehearsal

BAD_SETTING, UNAVAILABLE, INTERRUPTED = 64, 69, 130


def main(arguments: Sequence[str] = ()) -> int:
    """Start the sandbox if there is no token, then serve the page until it is asked to stop."""
    given = _parser().parse_args(arguments)
    try:
        # First, so that an unusable setting is logged in the chosen format too.
        environment = read_environment()
        telemetry.write_logs(as_json=wants_json(environment))
        if not wants_tools(environment):
            gradio_import.skip_tools()
        settings = PageSettings.load()
        settings.export_to_environment()
        # Imported late: Gradio reads the environment when it is imported.
        from studio.server import PortTaken, Server, stop_on_signals  # noqa: PLC0415
        from studio.stage.programme import Programme  # noqa: PLC0415

        programme = Programme(given.programme) if given.programme else None
        with ExitStack() as stack:
            stop_on_signals()
            if settings.engine.api_base is None:
                sandbox = stack.enter_context(Sandbox(_sandbox(programme.rehearse if programme else None)))
                settings = replace(settings, engine=replace(settings.engine, api_base=sandbox.url))
            try:
                Server(settings, programme).run()
            except PortTaken as problem:
                return _say(str(problem), UNAVAILABLE)
    except SettingsError as problem:
        return _say(texts_for(None).sentences(problem, sandbox=False), BAD_SETTING)
    except KeyboardInterrupt:
        # A second signal while stopping, or one before the page was served.
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    texts = texts_for(None)
    parser = argparse.ArgumentParser(prog="app.py", description=texts("start.description"))
    parser.add_argument("--programme", metavar="FILE", type=Path, help=texts("start.programme"))
    return parser


def _sandbox(rehearsal: Rehearsal | None) -> SandboxSettings:
    """Return the sandbox's settings, with what a programme rehearses.

    Raises:
        SettingsError: The programme names a fault that there is not.
    """
    if rehearsal is None:
        return SandboxSettings(workers=2)
    plain = SandboxSettings(workers=2, ahead=rehearsal.ahead)
    try:
        return replace(plain, faults=rehearsal.faults, run_time=rehearsal.seconds or plain.run_time)
    except ValueError:
        raise SettingsError("programme_rehearsal") from None


def _say(problem: str, code: int) -> int:
    """Print why the program ends to standard error, which is a line of the log where that is JSON."""
    print(problem, file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
