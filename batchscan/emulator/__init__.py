"""The vendor's API on this machine, for tests and rehearsals."""

from batchscan.emulator.config import EmulatorConfig, LoginLimit
from batchscan.emulator.faults import Fault, read_faults
from batchscan.emulator.journal import Journal, JournalEntry
from batchscan.emulator.server import Emulator

__all__ = [
    "Emulator",
    "EmulatorConfig",
    "Fault",
    "Journal",
    "JournalEntry",
    "LoginLimit",
    "read_faults",
]
