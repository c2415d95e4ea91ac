"""How fast the API is asked: windows, pauses, a rate learned from 429s, and outages."""

from batchscan.pace.clock import Clock, SystemClock
from batchscan.pace.gate import Gate, Pass
from batchscan.pace.schedule import Schedule

__all__ = ["Clock", "Gate", "Pass", "Schedule", "SystemClock"]
