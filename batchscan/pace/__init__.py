"""How fast the API is asked: windows, pauses, a rate learned from 429s, and outages."""

from batchscan.pace.clock import Clock, SystemClock
from batchscan.pace.pacer import Schedule
from batchscan.pace.rate_limiter import Gate, Pass

__all__ = ["Clock", "Gate", "Pass", "Schedule", "SystemClock"]
