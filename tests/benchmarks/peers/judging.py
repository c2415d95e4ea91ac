"""Our judging alone, on the engine of this machine: as many at once as a run has workers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from batchscan import Settings
from batchscan.engines.local import LocalEngine
from batchscan.model import Candidate, Image


async def main(folder: str) -> None:
    engine = LocalEngine(Settings(), Path("token.json"))
    candidates = [Candidate(str(file), None) for file in sorted(Path(folder).iterdir())]  # noqa: ASYNC240
    found = await asyncio.gather(*map(engine.inspect, candidates))
    await engine.aclose()
    assert all(isinstance(each, Image) for each in found)


asyncio.run(main(sys.argv[1]))
