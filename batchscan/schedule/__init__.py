"""A scan that comes by itself: units for systemd, or a line for cron."""

from batchscan.schedule.crontab import crontab_line
from batchscan.schedule.files import write_units
from batchscan.schedule.job import Job
from batchscan.schedule.timing import Timing
from batchscan.schedule.units import service_unit, timer_unit

__all__ = ["Job", "Timing", "crontab_line", "service_unit", "timer_unit", "write_units"]
