"""An HTTP client for untrusted addresses, which connects to public IP addresses only.

The addresses come from answers of the service and from pages, and are not trusted. Every IP address
is checked when its socket is created and again when it is connected; redirects are followed here,
step by step; sizes and times are limited.
"""

from __future__ import annotations

from batchscan.web_client.client import FetchLimits, WebClient
from batchscan.web_client.connect_to import ConnectTo
from batchscan.web_client.fetch_results import Failure, FailureKind, Fetched, Hop, Stopped

__all__ = [
    "ConnectTo",
    "Failure",
    "FailureKind",
    "FetchLimits",
    "Fetched",
    "Hop",
    "Stopped",
    "WebClient",
]
