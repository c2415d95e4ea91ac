"""`batchscan help changes`: the changelog, with unreleased changes first.

Unreleased changes are in `.changes/`, one file each. A clone reads them when the page is shown; the
build of a wheel writes them into its `CHANGELOG.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_START = "<!-- towncrier release notes start -->\n"
_KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}
_HEADING = "## Unreleased"


def changes_page(package: Path) -> str:
    """The Markdown of all changes.

    Args:
        package: the folder of batchscan, beside `.changes` in a clone.
    """
    page = (package / "CHANGELOG.md").read_text(encoding="utf-8")
    return with_unreleased(page, read_fragments(package.parent / ".changes"))


def read_fragments(folder: Path) -> dict[str, list[str]]:
    """The unreleased changes by kind; empty without the folder.

    Raises:
        ValueError: a file is not named NAME.KIND.md with a known kind.
    """
    fragments: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for file in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        kind = file.name.removesuffix(".md").rpartition(".")[2]
        if file.name == "README.md":
            continue
        if kind not in _KINDS:
            raise ValueError(f"{file}: not named NAME.KIND.md with KIND of {', '.join(_KINDS)}")
        fragments[kind].append(" ".join(file.read_text(encoding="utf-8").split()))
    return fragments


def with_unreleased(page: str, fragments: Mapping[str, list[str]]) -> str:
    """The changelog with a section of unreleased changes, if there are any, before all releases."""
    head, _, releases = page.partition(_START)
    sections = [
        f"### {title}\n\n" + "\n".join(f"- {text}" for text in fragments[kind])
        for kind, title in _KINDS.items()
        if fragments.get(kind)
    ]
    parts = [head.rstrip(), *([_HEADING, *sections] if sections else []), releases.strip()]
    return "\n\n".join(part for part in parts if part) + "\n"
