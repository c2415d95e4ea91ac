"""How many functions one picture passes on its way to the service."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import FrameType

import batchscan
from batchscan.copyleaks.transport import Transport

PACKAGE = str(Path(batchscan.__file__).parent)


async def test_a_picture_passes_at_most_14_functions_from_its_worker_to_the_transport(
    bench, monkeypatch
):
    send, stacks = Transport.send, []

    async def watched(transport, request, leaving=None, *more):
        if leaving is not None:  # a check, not a login
            stacks.append(functions_on_the_stack())
        return await send(transport, request, leaving, *more)

    monkeypatch.setattr(Transport, "send", watched)
    bench.pictures(1)
    await bench.scan()

    [stack] = stacks
    assert stack[0] == "Scan._work"
    assert len([*stack, "Transport.send"]) <= 14, stack


def functions_on_the_stack() -> list[str]:
    """The package's own, the outermost first."""
    frame: FrameType | None = inspect.currentframe()
    names = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return names[::-1]
