"""Opening the vendor's client from settings; a module of its own, as it imports aiohttp."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from batchscan import version
from batchscan.copyleaks.client import ApiAccount, CopyleaksClient
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.transport import Transport
from batchscan.settings import Settings


def open_transport(settings: Settings, folder: Path | None = None) -> Transport:
    """The transport for the settings; `folder` is for long answers as they arrive."""
    return Transport(
        user_agent=version.user_agent(),
        connect_timeout=settings.api.connect_timeout,
        read_timeout=settings.api.read_timeout,
        connections=settings.pace.concurrency,
        folder=folder,
    )


def open_client(
    settings: Settings, transport: Transport, token_file: Path, now: Callable[[], float] = time.time
) -> CopyleaksClient:
    """The vendor's client for the settings; without an account, its first login fails."""
    key = settings.account.api_key
    account = ApiAccount(
        api_url=settings.api.url,
        identity_url=settings.api.identity_url,
        email=settings.account.email or "",
        key=SecretStr(key.reveal() if key else ""),
    )
    return CopyleaksClient(account, transport, token_file, now)
