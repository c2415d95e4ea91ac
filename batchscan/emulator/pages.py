"""Which pictures an HTML page shows."""

from __future__ import annotations

import posixpath
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urlsplit

_ROOT: Final = "web/"  # where the emulator serves the folder
_SOCIAL: Final = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image"})


class _References(HTMLParser):
    """Collects what a page refers to as, or with, pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        if tag in ("img", "source"):
            self.found += [values.get("src", ""), *_candidates(values.get("srcset", ""))]
        elif tag == "a":
            self.found.append(values.get("href", ""))
        elif tag == "meta" and _SOCIAL & {values.get("property"), values.get("name")}:
            self.found.append(values.get("content", ""))


def shown_on(page: str, html: str) -> set[str]:
    """The relative names of what a page shows or links to.

    Args:
        page: the page's own relative name.
        html: its text.
    """
    parser = _References()
    parser.feed(html)
    parser.close()
    names = (_name(page, reference) for reference in parser.found)
    return {name for name in names if name is not None}


def _candidates(srcset: str) -> list[str]:
    """The URLs of `a.jpg 1x, b.jpg 2x`."""
    return [words[0] for candidate in srcset.split(",") if (words := candidate.split())]


def _name(page: str, reference: str) -> str | None:
    """The name of what a reference means below the folder; None where it is elsewhere."""
    try:
        parts = urlsplit(reference.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path:
        return None
    path = unquote(parts.path)
    if path.startswith("/"):  # from the root of the emulator, or of the site as it was written
        name = posixpath.normpath(path.lstrip("/").removeprefix(_ROOT))
    else:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    return None if name.startswith("..") else name
