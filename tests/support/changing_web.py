"""A web whose pictures come and go between runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

from batchscan.cli import main
from batchscan.emulator import Emulator, EmulatorConfig
from tests.support.bench import FAST, Bench
from tests.support.pictures import jpeg, tree

ONE, TWO = "one.example/a.jpg", "two.example/b.jpg"


class Web:
    """The folder that is the internet, behind an emulator that is started anew for each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "web"
        self.root.mkdir()
        self.port = 0
        tree(folder / "images", {"ours/p.jpg": jpeg(96, 64, 1)})

    def shows(self, *names: str) -> None:
        for path in self.root.rglob("*.jpg"):
            path.unlink()
        tree(self.root, dict.fromkeys(names, jpeg(96, 64, 1)))

    @asynccontextmanager
    async def bench(self):
        config = EmulatorConfig(web=self.root, port=self.port, rates=FAST)
        async with Emulator(config) as emulator:
            self.port = int(emulator.url.rpartition(":")[2])
            yield Bench(self.folder, emulator)

    async def scan(self, **changes):
        async with self.bench() as bench:
            return await bench.scan(**changes)

    def command(self, *words: str) -> int:
        return main([*words, "--state", str(self.folder / "state")])
