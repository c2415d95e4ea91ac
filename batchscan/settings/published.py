"""The addresses where originals are published, by pattern: for notices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from batchscan.errors import UsageError
from batchscan.settings.types import SettingType, text_only

_KEYS = ("images", "url")
_MAX_URL = 2_000  # characters


class Published(NamedTuple):
    """A pattern of pictures, and the address of their originals."""

    images: str  # gitignore pattern about the whole path
    url: str  # in which {name} is replaced by the file's name


@dataclass(frozen=True)
class PublishedType(SettingType):
    """A list of patterns with addresses; the first that matches a picture counts."""

    allowed: str = "a list such as [{images: lakes/, url: 'https://example.com/lakes/{name}'}]"

    of_mappings = True

    def read(self, raw: object) -> object:
        """Read a list of mappings."""
        if not isinstance(raw, list | tuple):
            raise ValueError  # noqa: TRY004 - as all that is not allowed
        return tuple(_published(item) for item in raw)

    def check(self, value: object) -> None:
        """Reject invalid patterns and addresses."""
        if not isinstance(value, tuple) or not all(isinstance(item, Published) for item in value):
            raise ValueError
        for images, url in value:
            _check_pattern(images)
            if not _is_web(url):
                raise ValueError(f"{url[:80]!r} is not a web address")

    def show(self, value: object) -> str:
        """The list."""
        items = value if isinstance(value, tuple) else ()
        shown = [f"{{images: {json.dumps(i)}, url: {json.dumps(u)}}}" for i, u in items]
        return f"[{', '.join(shown)}]"


def _published(item: object) -> Published:
    if isinstance(item, Published):
        return item
    if not isinstance(item, dict) or sorted(item) != sorted(_KEYS):
        raise ValueError("each has `images` and `url`, and nothing else")
    return Published(text_only(item["images"]), text_only(item["url"]).strip())


def _check_pattern(images: str) -> None:
    from batchscan.path_patterns import PathPattern  # noqa: PLC0415 - slow to import, hardly used

    try:
        PathPattern.of(images)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url and len(url) <= _MAX_URL
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)
