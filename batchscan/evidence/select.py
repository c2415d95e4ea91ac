"""Selecting pictures for evidence, with suggestions if there are none."""

from __future__ import annotations

import difflib
import hashlib
import heapq
import os
import stat
from collections.abc import Iterable
from typing import Final

from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.evidence import EvidencePicture
from batchscan.url_patterns import UrlPattern
from batchscan.util import system
from batchscan.util.escaping import printable
from batchscan.util.paths import is_url

_NEAREST: Final = 3


def select_pictures(ledger: Ledger, domains: Iterable[str], images: Iterable[str]) -> list[int]:
    """The pictures with matches on these domains, and those that are or were at these paths.

    Raises:
        UsageError: one of them has none.
    """
    chosen: set[int] = set()
    for domain in domains:
        chosen |= _on(ledger, UrlPattern.of(domain))
    for path in images:
        chosen |= _at(ledger, path if is_url(path) else os.path.abspath(path))
    return ledger.evidence.in_order(chosen)


def _on(ledger: Ledger, target: UrlPattern) -> set[int]:
    pictures = ledger.evidence.pictures_on(target.covers, target.domain)
    if not pictures:
        domains = ledger.dispositions.domains()
        like = difflib.get_close_matches(target.host or target.text, domains, _NEAREST)
        near = like or domains[:_NEAREST]
        raise UsageError(
            f"no answer ever showed a match on {printable(str(target))}", advice=_advice(near)
        )
    return pictures


def _at(ledger: Ledger, path: str) -> set[int]:
    raw = os.fsencode(path)
    has_matches = ledger.evidence.pictures_at(raw, hash_current_file(raw))
    pictures = {picture_id for picture_id, matched in has_matches.items() if matched}
    if has_matches and not pictures:
        raise UsageError(
            f"no answer ever showed a match of '{printable(path)}'",
            advice="there is nothing to pack for it",
        )
    if not pictures:
        near = [os.fsdecode(path) for path in _nearest(ledger, raw)]
        raise UsageError(
            f"the ledger has no answer about '{printable(path)}'", advice=_advice(near)
        )
    return pictures


def _nearest(ledger: Ledger, path: bytes) -> list[bytes]:
    """Paths with the same name first, then those with the longest common beginning."""
    folder, name = os.path.split(path)

    def likeness(candidate: bytes) -> tuple[bool, int]:
        alike = os.path.commonprefix([path, candidate])  # noqa: RUF071 - letters are meant, not folders
        return os.path.basename(candidate) == name, len(alike)

    near = heapq.nlargest(_NEAREST, ledger.evidence.matched_paths(), key=likeness)
    return [candidate for candidate in near if likeness(candidate) > (False, len(folder))]


def _advice(near: Iterable[str]) -> str:
    names = ", ".join(printable(name) for name in near)
    if names:
        return f"the nearest that it knows: {names}"
    return "`batchscan export` lists what it knows; --state names another state folder"


MAX_TRIED: Final = 10
"""The most paths of one picture that are tried: each may be on a disk that has to wake up."""

_MAX_BYTES: Final = 64 * 1024 * 1024  # bytes; the service never took as much
_FLAGS: Final = (
    os.O_RDONLY | system.O_NONBLOCK | system.O_CLOEXEC
)  # non-blocking: a FIFO has no writer


def read_current_file(picture: EvidencePicture) -> bytes | None:
    """Read one of a picture's files; None if no file has its content any more."""
    for path in picture.paths[:MAX_TRIED]:
        data = _content(path, picture.size)
        if data is not None and hashlib.sha256(data).hexdigest() == picture.sha256:
            return data
    return None


def hash_current_file(path: bytes) -> str | None:
    """The SHA-256 of the file at a path; None if it could not have been sent."""
    data = _content(path)
    return None if data is None else hashlib.sha256(data).hexdigest()


def _content(path: bytes, size: int | None = None) -> bytes | None:
    """A regular file's bytes; None without one, of another size, or for an object in a store."""
    if is_url(path):
        return None
    try:
        with open(os.open(path, _FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return None
            return file.read(_MAX_BYTES) if size in (None, status.st_size) else None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
