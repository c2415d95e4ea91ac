"""Runs `batchscan` with less than the system gives it.

python limits.py LIMIT NUMBER [batchscan's own words]
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Final

LIMITS: Final = {
    "files": resource.RLIMIT_NOFILE,  # that are open at once
    "file-size": resource.RLIMIT_FSIZE,  # bytes: as on a full disk
    "memory": resource.RLIMIT_AS,  # bytes of address space
}
OVERRIDES: Final = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_PR_CAPBSET_DROP: Final = 24
_LINUX_CAPABILITY_VERSION_3: Final = 0x20080522

NO_OVERRIDE: Final = (__file__, "override", "0")
"""The program that may read only what its owner may, also as a superuser's."""


def limited(name: str, number: int) -> tuple[str, ...]:
    """The program whose limit of this name is so much."""
    return __file__, name, str(number)


def apply(name: str, number: int) -> None:
    """Hold this process to so much."""
    resource.setrlimit(LIMITS[name], (number, number))


def drop_override() -> None:
    """Let a superuser's program, and those it starts, read only what its owner may."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, and each one's other half
    failed = libc.capget(header, sets)
    for capability in OVERRIDES:
        failed |= libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        for place in range(3):
            sets[place] &= ~(1 << capability)
    if failed or libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "a capability could not be dropped")


if __name__ == "__main__":
    limit, number = sys.argv[1], int(sys.argv[2])
    if limit == "override":
        drop_override()
    else:
        apply(limit, number)
    from batchscan.cli import main

    del sys.argv[1:3]
    sys.exit(main())
