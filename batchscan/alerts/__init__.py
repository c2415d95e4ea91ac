"""Telling people of new matches: by webhook, by command, and by whatever apprise reaches."""

from batchscan.alerts.body import sample_message
from batchscan.alerts.delivery import Delivered, deliver, send_once
from batchscan.alerts.grouping import MOST_MATCHES, make_messages
from batchscan.alerts.interface import Target, Trouble
from batchscan.alerts.opening import open_targets

__all__ = [
    "MOST_MATCHES",
    "Delivered",
    "Target",
    "Trouble",
    "deliver",
    "make_messages",
    "open_targets",
    "sample_message",
    "send_once",
]
