"""Hiring: a station on a worker, once it is known to speak our language."""

from __future__ import annotations

import sys

from batchscan import about
from batchscan.engines.cluster.dask import Dask, Gone, Hired
from batchscan.engines.cluster.wire import Hello
from batchscan.settings import Settings


class Unfit(Exception):
    """A worker that cannot be used; says why."""


async def hire(dask: Dask, address: str, threads: int, settings: Settings) -> tuple[Hired, Hello]:
    """Have a station on a worker.

    Raises:
        Unfit: another Python or batchscan runs there, or none.
        Gone: it went away meanwhile.
    """
    try:
        hired = await dask.hire(address, threads, _terms(settings))
        hello: Hello = await dask.call(hired, "hello")
    except Gone:
        raise
    except Exception as error:  # whatever the other version raises
        raise Unfit(f"batchscan does not start there ({error!r})") from error
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if hello.python != python:
        raise Unfit(f"it runs Python {hello.python}, and this is {python}")
    if hello.version != about.version():
        raise Unfit(f"it has batchscan {hello.version}, and this is {about.version()}")
    return hired, hello


def _terms(settings: Settings) -> Settings:
    """What a station has to know: no account, no folder, nobody's address but the API's."""
    return Settings(api=settings.api, scan=settings.scan, pace=settings.pace)
