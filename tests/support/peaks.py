"""The most memory that a command ever had."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
# Writes down the most memory that it ever had; `ru_maxrss` may be that of the tests' own process.
MEASURED: Final = """
import resource, sys
from pathlib import Path
from batchscan.cli import main

try:
    main(sys.argv[1:])
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if "VmHWM" in line).split()[1]
    Path({path!r}).write_text(str(peak))
"""


def peak_memory(folder: Path) -> float:
    """What `MEASURED` wrote into the file `most` of a folder, in MiB."""
    return int((folder / "most").read_text()) * (1 if sys.platform == "darwin" else 1024) / MIB
