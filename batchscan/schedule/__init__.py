"""A scheduled scan: units for systemd, a line for cron, or an agent for launchd."""

from batchscan.schedule.cron import crontab_line
from batchscan.schedule.job import Job, Timing
from batchscan.schedule.launchd import launch_agent
from batchscan.schedule.systemd import service_unit, timer_unit, write_units

__all__ = [
    "Job",
    "Timing",
    "crontab_line",
    "launch_agent",
    "service_unit",
    "timer_unit",
    "write_units",
]
