"""``python -m reference``."""

from __future__ import annotations

import sys

from reference.cli import main

try:
    sys.exit(main())
except KeyboardInterrupt:  # before there was anything to end
    sys.exit(130)
