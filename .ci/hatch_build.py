"""The build hook of hatchling: the manual page, and the changes that are not released yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "share/man/man1/batchscan.1"
CHANGES = "batchscan/CHANGELOG.md"


class GeneratedFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Adds what is made at build time; it needs click and pathspec, as `--help` does."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the manual page and the changelog into the folder of the build, for the wheel.

        The manual page is made of the same help as `--help`; installers put it into share/man.
        """
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from batchscan.cli.changes import changes_page  # noqa: PLC0415
        from batchscan.cli.dispatch import SUMMARIES, find_command  # noqa: PLC0415
        from batchscan.cli.man_page import man_page  # noqa: PLC0415

        page = Path(self.directory) / "batchscan.1"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(man_page(self.metadata.version, SUMMARIES, find_command), "utf-8")
        build_data["shared_data"][str(page)] = PAGE
        changes = page.with_name("CHANGELOG.md")
        changes.write_text(changes_page(Path(self.root) / "batchscan"), "utf-8")
        build_data["force_include"][str(changes)] = CHANGES
