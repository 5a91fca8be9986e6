"""``python -m wan_client``, and the command of an installation."""

import signal
import sys


def run() -> int:
    """Run the command. While it is still being imported, Ctrl-C ends it silently."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli.main import main  # noqa: PLC0415  # slow to import

    signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(run())
