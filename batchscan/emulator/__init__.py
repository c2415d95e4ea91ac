"""The vendor's API on this machine, for tests and rehearsals."""

from batchscan.emulator.config import EmulatorConfig, LoginLimit
from batchscan.emulator.faults import Fault, read_faults
from batchscan.emulator.journal import Entry, Journal
from batchscan.emulator.server import Emulator

__all__ = ["Emulator", "EmulatorConfig", "Entry", "Fault", "Journal", "LoginLimit", "read_faults"]
