"""Gets other people's web addresses, and connects to nothing that is not public.

The addresses come from answers of the service and from the pages that they name: none of it is
to be trusted. Every address is looked at where its socket is made and once more when it is
connected, redirects are followed here, step by step, and sizes and times are bounded.
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
