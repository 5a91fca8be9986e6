"""``python -m wan_client``, and the command of an installation."""

import signal
import sys


def run() -> int:
    """Run the command, which Ctrl-C ends without a word while it is still being loaded."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli.main import main  # noqa: PLC0415  # this is what takes its time

    signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(run())
