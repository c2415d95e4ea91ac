"""Connecting to a cluster, with errors before anything is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from batchscan.engines.cluster.dask_client import DaskClient, SchedulerNotFound
from batchscan.engines.cluster.engine import DaskEngine
from batchscan.engines.cluster.pool import WorkerPool
from batchscan.engines.host_limiter import HostRateLimiter
from batchscan.engines.interface import Engine
from batchscan.engines.vendor_client import open_client, open_transport
from batchscan.errors import UsageError
from batchscan.pace import Clock
from batchscan.settings import Settings
from batchscan.settings.address_types import is_loopback
from batchscan.settings.model_groups import LOCAL

SCHEDULER_TIMEOUT = 10.0  # seconds for the scheduler to answer
log = logging.getLogger(__name__)


async def open_cluster(
    settings: Settings,
    token_file: Path,
    clock: Clock,
    awake: Callable[[], float],
    check_halt: Callable[[], None],
) -> Engine:
    """Connect to the cluster in the settings, and start its actors; see `open_engine`.

    Raises:
        UsageError: nothing answers there, or no worker can be used.
    """
    address = settings.engine.dask or LOCAL
    _warn_of_plain(address)
    dask = DaskClient(address, SCHEDULER_TIMEOUT)
    try:
        await dask.open()
    except SchedulerNotFound as error:
        raise UsageError(
            f"there is no Dask scheduler at {address}: {error}",
            advice="check the address of --dask (engine.dask); for tls:// see Dask's own settings",
        ) from error
    pool = WorkerPool(dask, settings, clock, awake, check_halt)
    try:
        await pool.open()
    except BaseException:
        await pool.aclose()
        raise
    transport = open_transport(settings)
    client = open_client(settings, transport, token_file, clock.wall)
    hosts = HostRateLimiter(settings, clock)
    return DaskEngine(pool, client, transport, hosts, settings.api, token_file.parent)


def _warn_of_plain(address: str) -> None:
    """Warn of an unencrypted connection."""
    parts = urlsplit(address)
    if parts.scheme in ("tcp", "ws") and not is_loopback(parts):
        log.warning(
            "%s is not encrypted: anybody who can read the traffic gets the access token and can "
            "run code on the cluster; see the documentation of Dask on TLS",
            address,
        )
