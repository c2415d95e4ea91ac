"""Alerts about new matches: by webhook, by command, and through apprise."""

from batchscan.alerts.batching import MAX_MATCHES, make_messages
from batchscan.alerts.delivery import DeliveryResult, deliver, send_once
from batchscan.alerts.factory import open_targets
from batchscan.alerts.interface import AlertTarget, DeliveryFailure
from batchscan.alerts.payload import sample_message

__all__ = [
    "MAX_MATCHES",
    "AlertTarget",
    "DeliveryFailure",
    "DeliveryResult",
    "deliver",
    "make_messages",
    "open_targets",
    "sample_message",
    "send_once",
]
