"""The build hook of hatchling: makes the manual page of the same help as `--help`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "share/man/man1/batchscan.1"


class ManPageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the manual page to the wheel; it needs click and pathspec, as `--help` does."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the page into the folder of the build, for installers to put into share/man."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from batchscan.cli.dispatch import SUMMARIES, find_command  # noqa: PLC0415
        from batchscan.cli.man_page import man_page  # noqa: PLC0415

        page = Path(self.directory) / "batchscan.1"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(man_page(self.metadata.version, SUMMARIES, find_command), "utf-8")
        build_data["shared_data"][str(page)] = PAGE
