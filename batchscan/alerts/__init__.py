"""Telling people of new matches: by webhook, by command, and by whatever apprise reaches."""

from batchscan.alerts.batching import MOST_MATCHES, make_messages
from batchscan.alerts.delivery import Delivered, deliver, send_once
from batchscan.alerts.factory import open_targets
from batchscan.alerts.interface import Target, Trouble
from batchscan.alerts.payload import sample_message

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
