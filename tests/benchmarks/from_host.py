"""For `dask worker --preload`: has the worker send from the address it is at.

On loopback every request would come from 127.0.0.1, whichever of its addresses a worker is at.
"""

from __future__ import annotations

import os
from functools import partial

import aiohttp

aiohttp.TCPConnector = partial(  # type: ignore[misc,assignment]
    aiohttp.TCPConnector, local_addr=(os.environ["SEND_FROM"], 0)
)
