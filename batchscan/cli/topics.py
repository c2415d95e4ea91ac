"""`batchscan help TOPIC`: the pages of the documentation in the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from batchscan.cli.changes import changes_page
from batchscan.console.markdown import render_markdown
from batchscan.console.terminal import print_data, width_of

# In the order of the README; a page that is not named here comes after them.
_ORDER = (
    "files",
    "renditions",
    "results",
    "exit-codes",
    "review",
    "statistics",
    "takedown",
    "evidence",
    "recheck",
    "schedule",
    "alerts",
    "budgets",
    "stores",
    "cluster",
    "settings",
    "privacy",
    "troubleshooting",
    "performance",
    "emulator",
    "python",
    "platforms",
    "upgrading",
)
_ALIASES = {
    "container": "platforms",
    "cron": "schedule",
    "dask": "cluster",
    "kubernetes": "cluster",
    "launchd": "schedule",
    "security": "privacy",
    "systemd": "schedule",
    "triage": "review",
    "windows": "platforms",
}
_CHANGES = "changes"  # kept by towncrier, at another place
_MAX_WIDTH = 80  # columns; longer lines are hard to read


def topics() -> list[str]:
    """The names of all pages."""
    names = {file.name.removesuffix(".md") for file in (_folder() / "docs").iterdir()}
    ordered = [name for name in _ORDER if name in names]
    return [*ordered, *sorted(names.difference(ordered)), _CHANGES]


def find_topic(word: str) -> str | None:
    """The name of the page for a word, such as `cron` or `files.md`; None without one."""
    name = word.lower().removesuffix(".md").replace("_", "-")
    name = _ALIASES.get(name, name)
    return name if name in topics() else None


def page_of(topic: str) -> str:
    """The Markdown of a page."""
    if topic == _CHANGES:
        return changes_page(_folder())
    return (_folder() / "docs" / f"{topic}.md").read_text(encoding="utf-8")


def show_page(topic: str, appendix: str = "") -> None:
    """Print a page and the text after it, through a pager if stdout is a terminal.

    Raises:
        StorageError: stdout cannot be written.
    """
    width = min(_MAX_WIDTH, width_of(sys.stdout, _MAX_WIDTH))
    text = render_markdown(page_of(topic), width) + appendix
    if sys.stdout is None or not sys.stdout.isatty():
        print_data(text)
        return
    os.environ.setdefault("LESS", "FRX")  # as git: a page that fits on the screen needs no key
    click.echo_via_pager(text)


def _folder() -> Path:
    return Path(__file__).parent.parent  # importlib.resources takes 12 ms more to import
