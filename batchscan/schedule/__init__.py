"""A scan that comes by itself: units for systemd, or a line for cron."""

from batchscan.schedule.cron import crontab_line
from batchscan.schedule.job import Job, Timing
from batchscan.schedule.systemd import service_unit, timer_unit, write_units

__all__ = ["Job", "Timing", "crontab_line", "service_unit", "timer_unit", "write_units"]
