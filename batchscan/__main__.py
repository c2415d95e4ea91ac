"""`python -m batchscan`: the same as the command `batchscan`."""

from __future__ import annotations

import sys

from batchscan.cli import main

if __name__ == "__main__":
    sys.exit(main())
