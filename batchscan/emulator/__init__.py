"""An emulator of the vendor's API, for tests and trials."""

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
