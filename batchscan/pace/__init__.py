"""Rate limiting: windows, pauses, a rate learned from 429s, and outages."""

from batchscan.pace.awake_clock import AwakeClock
from batchscan.pace.clock import Clock, SystemClock
from batchscan.pace.pacer import Pacer
from batchscan.pace.rate_limiter import Permit, RateLimiter

__all__ = ["AwakeClock", "Clock", "Pacer", "Permit", "RateLimiter", "SystemClock"]
