"""``python -m wan_sandbox``."""

import sys

from wan_sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())
