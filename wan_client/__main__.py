"""``python -m wan_client``."""

import sys

from .cli import main

sys.exit(main())
