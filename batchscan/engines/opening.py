"""The engine that settings ask for: this machine's, or a cluster's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from batchscan.about import install_line
from batchscan.copyleaks.proxies import proxies_of_environment, proxy_problem
from batchscan.engines.interface import Engine
from batchscan.engines.local import LocalEngine
from batchscan.errors import UsageError
from batchscan.escape import printable
from batchscan.pace import Clock
from batchscan.settings import Settings

_LOGIN: Final = re.compile(r"//.*@", re.DOTALL)


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


def check_proxies(settings: Settings) -> None:
    """Refuse a proxy of the environment that can never work, before anything is sent.

    Raises:
        UsageError: it names the variable's value without its password.
    """
    proxy_for = proxies_of_environment()
    for url in (settings.api.url, settings.api.identity_url):
        proxy = proxy_for(url)
        problem = proxy_problem(proxy) if proxy else None
        if proxy and problem:
            shown = printable(_LOGIN.sub("//***@", proxy))
            raise UsageError(
                f"the proxy {shown} cannot be used: {problem}",
                advice="mend HTTPS_PROXY or HTTP_PROXY, or leave the service out with NO_PROXY",
            )
