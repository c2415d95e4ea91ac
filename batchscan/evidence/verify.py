"""Checking a pack against its manifest, file by file, without unpacking it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final

import msgspec

from batchscan.evidence.archive import Archive, Damaged
from batchscan.evidence.manifest import (
    LONGEST_MANIFEST,
    MANIFEST,
    SAFE_NAME,
    SUMS,
    Manifest,
    PackedFile,
    described,
    sum_line,
)

ALTERED: Final = "altered"
MISSING: Final = "missing"
ADDED: Final = "added"

ZIP: Final = "the zip file"

_SHOWN: Final = 3  # names in one line
_LISTS: Final = (MANIFEST, SUMS)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was packed."""

    what: str  # altered, missing or added
    name: str  # of the file in the pack; may be anybody's
    detail: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    faults: tuple[Fault, ...]
    manifest: Manifest | None = None  # None where it cannot be read
    manifest_sha256: str | None = None


def verify(file: IO[bytes], manifest_sha256: str | None = None) -> Checked:
    """Check an open zip file; whatever it holds, nothing is raised for it.

    Args:
        file: the pack.
        manifest_sha256: what `manifest.json` had when it was made, if somebody kept that.
    """
    try:
        archive = Archive(file)
    except Damaged as error:
        return Checked((Fault(ALTERED, ZIP, str(error)),))
    faults = list(_oddities(archive))
    try:
        data = _whole(archive, MANIFEST, LONGEST_MANIFEST)
        manifest = msgspec.json.decode(data, type=Manifest)
    except Damaged as error:
        return Checked((*faults, Fault(_what(archive, MANIFEST), MANIFEST, str(error))))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Checked((*faults, Fault(ALTERED, MANIFEST, f"it is no manifest: {error}")))
    own = described(MANIFEST, data).sha256
    kept = manifest_sha256.lower() if manifest_sha256 else None
    if kept not in (None, own):
        faults.append(Fault(ALTERED, MANIFEST, f"its SHA-256 is {own}, and should be {kept}"))
    faults += _files(archive, manifest)
    listed = (*manifest.files, described(MANIFEST, data))
    faults += _sums(archive, listed, trusted=kept == own)
    return Checked(tuple(faults), manifest, own)


def _oddities(archive: Archive) -> Iterator[Fault]:
    """What no pack has."""
    if archive.comment:
        yield Fault(ADDED, ZIP, f"a comment of {len(archive.comment):,} bytes")
    for name, count in archive.names.items():
        if count > 1:
            yield Fault(ADDED, name, f"it is in there {count:,} times")
        if not SAFE_NAME.fullmatch(name):
            yield Fault(ADDED, name, "no file of a pack is called that")


def _files(archive: Archive, manifest: Manifest) -> Iterator[Fault]:
    """Hold the files against the list of them."""
    listed = Counter(file.name for file in manifest.files)
    for name, count in listed.items():
        if count > 1 or name in _LISTS:
            yield Fault(ALTERED, MANIFEST, f"it lists {name} where it should not")
    for file in manifest.files:
        try:
            found = _measured(archive, file)
        except Damaged as error:
            yield Fault(_what(archive, file.name), file.name, str(error))
            continue
        if found != file:
            yield Fault(ALTERED, file.name, _difference(found, file))
    for name in archive.names:
        if name not in listed and name not in _LISTS and SAFE_NAME.fullmatch(name):
            yield Fault(ADDED, name, f"{MANIFEST} does not know it")


def _sums(archive: Archive, listed: Iterable[PackedFile], *, trusted: bool) -> Iterator[Fault]:
    """Hold the list for `sha256sum` against the one that should be there.

    Where the two lists disagree about the manifest, nobody can tell which of them was altered,
    unless the manifest is `trusted`.
    """
    wanted = {sum_line(file): file.name for file in listed}
    try:
        found = _whole(archive, SUMS, 2 * sum(map(len, wanted)))
    except Damaged as error:
        yield Fault(_what(archive, SUMS), SUMS, str(error))
        return
    lines = found.splitlines(keepends=True)
    if lines == list(wanted):
        return
    there = set(lines)
    others = [name for line, name in wanted.items() if line not in there]
    if MANIFEST in others and not trusted:
        yield Fault(ALTERED, MANIFEST, f"{SUMS} does not have its SHA-256: this one or that one")
    about = ", ".join(others[:_SHOWN])
    more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
    said = f"it does not agree with {MANIFEST} about {about}{more}"
    yield Fault(ALTERED, SUMS, said if others else f"it is longer than {MANIFEST} makes it")


def _measured(archive: Archive, wanted: PackedFile) -> PackedFile:
    """Say what a file in the zip is; of one that is too large, only that."""
    size, digest = 0, hashlib.sha256()
    for block in archive.read(wanted.name, max(0, wanted.bytes)):
        size += len(block)
        digest.update(block)
    return PackedFile(wanted.name, size, digest.hexdigest())


def _difference(found: PackedFile, wanted: PackedFile) -> str:
    if found.bytes > wanted.bytes:
        return f"it has more than the {wanted.bytes:,} bytes that were packed"
    return (
        f"{found.bytes:,} bytes with SHA-256 {found.sha256}; packed were {wanted.bytes:,} bytes "
        f"with {wanted.sha256}"
    )


def _whole(archive: Archive, name: str, most: int) -> bytes:
    data = b"".join(archive.read(name, most))
    if len(data) > most:
        raise Damaged(f"it has more than {most:,} bytes")
    return data


def _what(archive: Archive, name: str) -> str:
    return ALTERED if name in archive.names else MISSING
