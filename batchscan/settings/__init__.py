"""All settings: their types, sources and validation."""

from batchscan.settings.model import (
    Account,
    Alerts,
    Api,
    Engine,
    NoticeForm,
    Output,
    Pace,
    Rate,
    Recheck,
    Scan,
    Secret,
    Send,
    Settings,
    Spend,
    Takedown,
    Webhook,
)

__all__ = [
    "Account",
    "Alerts",
    "Api",
    "Engine",
    "NoticeForm",
    "Output",
    "Pace",
    "Rate",
    "Recheck",
    "Scan",
    "Secret",
    "Send",
    "Settings",
    "Spend",
    "Takedown",
    "Webhook",
]
