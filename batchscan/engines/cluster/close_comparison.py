"""Comparing two files closely on a worker."""

from __future__ import annotations

import logging
import math
from typing import cast

from batchscan.engines.cluster.messages import Compare
from batchscan.engines.cluster.pool import WorkerPool
from batchscan.engines.cluster.worker_client import MAX_WORKER_LOSSES, WorkerLost
from batchscan.images.comparing import Content

log = logging.getLogger(__name__)


async def compare(pool: WorkerPool, one: Content, other: Content) -> float:
    """The deviation of two files; infinite if workers are lost with them.

    Raises:
        Unavailable: there is no worker any more.
    """
    places = (each.places[0] for each in (one, other))
    size = sum(place.stat.size for place in places if place.stat)
    for _ in range(MAX_WORKER_LOSSES):
        client = await pool.pick_worker()
        client.pictures += 1
        client.free_bytes -= size
        try:
            found = await client.submit(lambda number: Compare(number, one, other))
        except WorkerLost:
            log.info("a worker was lost with %r", other.places[0].path)
            continue
        finally:
            client.pictures -= 1
            client.free_bytes += size
            pool.notify()
        return cast("float", found)
    return math.inf
