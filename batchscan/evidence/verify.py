"""Verifying a pack against its manifest, file by file, without unpacking it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final

import msgspec

from batchscan.evidence.manifest import (
    MANIFEST,
    MAX_MANIFEST,
    SAFE_NAME,
    SUMS,
    Manifest,
    PackedFile,
    describe_file,
    sum_line,
)
from batchscan.evidence.pack_reader import Damaged, PackReader
from batchscan.evidence.verify_captures import CaptureReport, verify_captures

ALTERED: Final = "altered"
MISSING: Final = "missing"
ADDED: Final = "added"

ZIP: Final = "the zip file"

_SHOWN: Final = 3  # names in one line
_LISTS: Final = (MANIFEST, SUMS)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A difference between a pack and its manifest."""

    what: str  # altered, missing or added
    name: str  # of the file in the pack; untrusted
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a pack."""

    faults: tuple[Discrepancy, ...]
    manifest: Manifest | None = None  # None if it cannot be read
    manifest_sha256: str | None = None
    captures: CaptureReport = field(default_factory=CaptureReport)
    files: int = 0  # in the pack, with its lists


def verify(
    file: IO[bytes], manifest_sha256: str | None = None, roots: bytes | None = None
) -> Verification:
    """Verify an open zip file; nothing is raised for its content.

    Args:
        file: the pack.
        manifest_sha256: the original hash of `manifest.json`, if it is known.
        roots: certificates in PEM of the authorities that must have signed the timestamps.

    Raises:
        UsageError: no certificates can be read, or what reads timestamps is not installed.
    """
    try:
        pack = PackReader(file)
    except Damaged as error:
        return Verification((Discrepancy(ALTERED, ZIP, str(error)),))
    faults = list(_oddities(pack))
    try:
        data = pack.read_all(MANIFEST, MAX_MANIFEST)
        manifest = msgspec.json.decode(data, type=Manifest)
    except Damaged as error:
        return Verification((*faults, Discrepancy(_what(pack, MANIFEST), MANIFEST, str(error))))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Verification((*faults, Discrepancy(ALTERED, MANIFEST, f"not a manifest: {error}")))
    own = describe_file(MANIFEST, data).sha256
    expected = manifest_sha256.lower() if manifest_sha256 else None
    if expected not in (None, own):
        faults.append(
            Discrepancy(ALTERED, MANIFEST, f"its SHA-256 is {own}, and should be {expected}")
        )
    faults += _files(pack, manifest)
    listed = (*manifest.files, describe_file(MANIFEST, data))
    faults += _sums(pack, listed, trusted=expected == own)
    captures = CaptureReport()
    wrong = verify_captures(pack, manifest.files, captures, roots)
    faults += [Discrepancy(ALTERED, name, why) for name, why in wrong]
    return Verification(tuple(faults), manifest, own, captures, pack.names.total())


def _oddities(pack: PackReader) -> Iterator[Discrepancy]:
    """Properties that no pack has."""
    if pack.comment:
        yield Discrepancy(ADDED, ZIP, f"a comment of {len(pack.comment):,} bytes")
    for name, count in pack.names.items():
        if count > 1:
            yield Discrepancy(ADDED, name, f"it is in the zip file {count:,} times")
        if not SAFE_NAME.fullmatch(name):
            yield Discrepancy(ADDED, name, "no file of a pack has this name")


def _files(pack: PackReader, manifest: Manifest) -> Iterator[Discrepancy]:
    """Compare the files with the manifest."""
    listed = Counter(file.name for file in manifest.files)
    for name, count in listed.items():
        if count > 1 or name in _LISTS:
            yield Discrepancy(ALTERED, MANIFEST, f"it lists {name} where it should not")
    for file in manifest.files:
        try:
            actual = _describe(pack, file)
        except Damaged as error:
            yield Discrepancy(_what(pack, file.name), file.name, str(error))
            continue
        if actual != file:
            yield Discrepancy(ALTERED, file.name, _difference(actual, file))
    for name in pack.names:
        if name not in listed and name not in _LISTS and SAFE_NAME.fullmatch(name):
            yield Discrepancy(ADDED, name, f"{MANIFEST} does not list it")


def _sums(
    pack: PackReader, listed: Iterable[PackedFile], *, trusted: bool
) -> Iterator[Discrepancy]:
    """Compare `SHA256SUMS` with the manifest.

    If the two disagree about the manifest, either may have been altered, unless the manifest is
    `trusted`.
    """
    wanted = {sum_line(file): file.name for file in listed}
    try:
        sums = pack.read_all(SUMS, 2 * sum(map(len, wanted)))
    except Damaged as error:
        yield Discrepancy(_what(pack, SUMS), SUMS, str(error))
        return
    lines = sums.splitlines(keepends=True)
    if lines == list(wanted):
        return
    present = set(lines)
    others = [name for line, name in wanted.items() if line not in present]
    if MANIFEST in others and not trusted:
        yield Discrepancy(
            ALTERED, MANIFEST, f"its SHA-256 is not the one in {SUMS}: one of the two was changed"
        )
    detail = f"it is longer than it would be for {MANIFEST}"
    if others:
        about = ", ".join(others[:_SHOWN])
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        detail = f"it does not agree with {MANIFEST} about {about}{more}"
    yield Discrepancy(ALTERED, SUMS, detail)


def _describe(pack: PackReader, wanted: PackedFile) -> PackedFile:
    """The size and hash of a file in the pack; reading stops if it is too large."""
    size, digest = 0, hashlib.sha256()
    for block in pack.read(wanted.name, max(0, wanted.bytes)):
        size += len(block)
        digest.update(block)
    return PackedFile(wanted.name, size, digest.hexdigest())


def _difference(actual: PackedFile, wanted: PackedFile) -> str:
    if actual.bytes > wanted.bytes:
        return f"it has more than the {wanted.bytes:,} bytes that were packed"
    return (
        f"{actual.bytes:,} bytes with SHA-256 {actual.sha256}; packed were {wanted.bytes:,} bytes "
        f"with {wanted.sha256}"
    )


def _what(pack: PackReader, name: str) -> str:
    return ALTERED if name in pack.names else MISSING
