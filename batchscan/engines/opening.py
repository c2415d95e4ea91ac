"""The engine that settings ask for: this machine's, or a cluster's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from batchscan.about import install_line
from batchscan.engines.interface import Engine
from batchscan.engines.local import LocalEngine
from batchscan.errors import UsageError
from batchscan.pace import Clock
from batchscan.settings import Settings


async def open_engine(
    settings: Settings, token_file: Path, clock: Clock, check_halt: Callable[[], None]
) -> Engine:
    """Open what inspects and uploads; `check_halt` raises once nothing more may be sent.

    Raises:
        UsageError: Dask is not installed, or the cluster cannot be used.
    """
    if settings.engine.dask is None:
        return LocalEngine(settings, token_file, clock)
    try:
        from batchscan.engines.cluster.opening import (  # noqa: PLC0415 - Dask takes its time
            open_cluster,
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--dask needs Dask, which is not installed ({error.name or 'dask'} is missing)",
            advice=install_line("dask"),
        ) from error
    return await open_cluster(settings, token_file, clock, check_halt)
