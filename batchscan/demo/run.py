"""The demo from beginning to end; nothing of the user's own settings, state or account is used."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from batchscan.demo import folders
from batchscan.emulator import Emulator, EmulatorConfig, Fault
from batchscan.emulator.fault_actions import AnswerInstead, Replace
from batchscan.errors import UsageError
from batchscan.run import Scan
from batchscan.settings import Account, Api, Output, Recheck, Secret, Settings
from batchscan.util.escaping import printable

MARKER = "demo.json"
# What became of some copies by the time their sites are asked: taken down, replaced, out of reach.
_FAULTS = (
    Fault(
        route="web",
        file_name="cheap-posters.example/exact-3.jpg",
        action=AnswerInstead(404, body="html"),
    ),
    Fault(
        route="web",
        file_name="holiday-blog.example/recompressed-1.jpg",
        action=Replace(by="holiday-blog.example/index.html"),
    ),
    Fault(
        route="web",
        file_name="news-agency.example/*.jpg",
        action=AnswerInstead(403, body="html", headers={"cf-mitigated": "challenge"}),
    ),
)


class Marker(msgspec.Struct):
    """The content of the file that marks a demo's folder.

    The port is kept, as the ledger stores answers by the address of the service.
    """

    port: int = 0


@dataclass(frozen=True, slots=True)
class Acts:
    """The commands that the demo runs on the matches.

    Each gets the settings, and the rule by which the sites' names lead to this machine.
    """

    capture: Callable[[Settings, str], Awaitable[None]]
    ask_again: Callable[[Settings, str], Awaitable[None]]  # what became of the copies


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo's folders."""

    folder: Path
    output: Path
    state: Path
    made: int  # pictures made now; 0 when they were there

    @property
    def images(self) -> Path:
        """The folder that is scanned."""
        return self.folder / "images"

    @property
    def web(self) -> Path:
        """The folder that the emulator serves as the web."""
        return self.folder / "web"


def prepare(folder: Path, output: Path | None, state: Path | None) -> Demo:
    """Make the pictures and the web, unless they are there.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    demo = Demo(folder, output or folder / "output", state or folder / "state", 0)
    try:
        if _marker(folder).exists():
            return demo
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(
                f"{printable(str(folder))} is not empty, and no earlier demo made it",
                advice="name a new folder: `batchscan demo ./another`",
            )
        made = folders.write(demo.images, folders.pictures())
        folders.write(demo.web, folders.web())
        _keep(folder, Marker())
    except OSError as error:
        raise UsageError(
            f"the demo cannot be made in {printable(str(folder))}: {error.strerror or error}"
        ) from error
    return Demo(folder, demo.output, demo.state, made)


async def run(
    demo: Demo,
    watch: Callable[[Scan], AbstractAsyncContextManager[None]],
    acts: Acts,
) -> Scan:
    """Scan the demo's pictures against an emulator that runs for as long; the ended scan.

    Args:
        demo: the folders.
        watch: what goes on around the scan while it runs: progress, signals.
        acts: what is done once it has ended well. The copies are all there when they are captured;
            some are not any more when their sites are asked again.

    Raises:
        UsageError: the extra `demo` is not installed.
    """
    async with _emulator(demo) as emulator:
        settings = Settings(
            roots=(str(demo.images),),
            account=Account(email="demo@example.com", api_key=Secret("demo")),
            api=Api(url=emulator.url, identity_url=emulator.url),
            output=Output(directory=str(demo.output), state=str(demo.state)),
        )
        scan = Scan(settings)
        async with scan, watch(scan):
            async for _ in scan:
                pass
        if scan.exit_code == 0:
            port = emulator.url.rpartition(":")[2]
            settings = replace(settings, recheck=Recheck(pause=0.0))  # it is our own web
            rule = f"::127.0.0.1:{port}"
            await acts.capture(settings, rule)
            emulator.faults = _FAULTS
            await acts.ask_again(settings, rule)
    return scan


@asynccontextmanager
async def _emulator(demo: Demo) -> AsyncIterator[Emulator]:
    """The emulator at the demo's port, or at another one where that is taken."""
    port = _port(demo.folder)
    async with AsyncExitStack() as stack:
        try:
            running = Emulator(EmulatorConfig(web=demo.web, port=port, sites=True))
            await stack.enter_async_context(running)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            running = Emulator(EmulatorConfig(web=demo.web, sites=True))
            await stack.enter_async_context(running)
        if not port:
            _keep(demo.folder, Marker(port=int(running.url.rpartition(":")[2])))
        yield running


def _marker(folder: Path) -> Path:
    return folder / MARKER


def _port(folder: Path) -> int:
    try:
        return msgspec.json.decode(_marker(folder).read_bytes(), type=Marker).port
    except (OSError, msgspec.MsgspecError):
        return 0


def _keep(folder: Path, marker: Marker) -> None:
    _marker(folder).write_bytes(msgspec.json.encode(marker))
