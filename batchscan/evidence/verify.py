"""Verifying a pack against its manifest, file by file, without unpacking it."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final, cast

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
from batchscan.evidence.verify_captures import CaptureReport, look_into

ALTERED: Final = "altered"
MISSING: Final = "missing"
ADDED: Final = "added"

ZIP: Final = "the zip file"

_SHOWN: Final = 3  # names in one line
_LISTS: Final = (MANIFEST, SUMS)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that is not as it was packed."""

    what: str  # altered, missing or added
    name: str  # of the file in the pack; may be anybody's
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found."""

    faults: tuple[Discrepancy, ...]
    manifest: Manifest | None = None  # None if it cannot be read
    manifest_sha256: str | None = None
    captures: CaptureReport = field(default_factory=CaptureReport)


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
        archive = Archive(file)
    except Damaged as error:
        return Verification((Discrepancy(ALTERED, ZIP, str(error)),))
    faults = list(_oddities(archive))
    try:
        data = _whole(archive, MANIFEST, MAX_MANIFEST)
        manifest = msgspec.json.decode(data, type=Manifest)
    except Damaged as error:
        return Verification((*faults, Discrepancy(_what(archive, MANIFEST), MANIFEST, str(error))))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Verification((*faults, Discrepancy(ALTERED, MANIFEST, f"not a manifest: {error}")))
    own = describe_file(MANIFEST, data).sha256
    kept = manifest_sha256.lower() if manifest_sha256 else None
    if kept not in (None, own):
        faults.append(Discrepancy(ALTERED, MANIFEST, f"its SHA-256 is {own}, and should be {kept}"))
    faults += _files(archive, manifest)
    listed = (*manifest.files, describe_file(MANIFEST, data))
    faults += _sums(archive, listed, trusted=kept == own)
    captures = CaptureReport()
    wrong = look_into(manifest.files, archive.read, captures, roots, Damaged)
    faults += [Discrepancy(ALTERED, name, why) for name, why in wrong]
    return Verification(tuple(faults), manifest, own, captures)


def _oddities(archive: Archive) -> Iterator[Discrepancy]:
    """Properties that no pack has."""
    if archive.comment:
        yield Discrepancy(ADDED, ZIP, f"a comment of {len(archive.comment):,} bytes")
    for name, count in archive.names.items():
        if count > 1:
            yield Discrepancy(ADDED, name, f"it is in the zip file {count:,} times")
        if not SAFE_NAME.fullmatch(name):
            yield Discrepancy(ADDED, name, "no file of a pack has this name")


def _files(archive: Archive, manifest: Manifest) -> Iterator[Discrepancy]:
    """Compare the files with the manifest."""
    listed = Counter(file.name for file in manifest.files)
    for name, count in listed.items():
        if count > 1 or name in _LISTS:
            yield Discrepancy(ALTERED, MANIFEST, f"it lists {name} where it should not")
    for file in manifest.files:
        try:
            found = _measured(archive, file)
        except Damaged as error:
            yield Discrepancy(_what(archive, file.name), file.name, str(error))
            continue
        if found != file:
            yield Discrepancy(ALTERED, file.name, _difference(found, file))
    for name in archive.names:
        if name not in listed and name not in _LISTS and SAFE_NAME.fullmatch(name):
            yield Discrepancy(ADDED, name, f"{MANIFEST} does not list it")


def _sums(
    archive: Archive, listed: Iterable[PackedFile], *, trusted: bool
) -> Iterator[Discrepancy]:
    """Compare `SHA256SUMS` with the manifest.

    If the two disagree about the manifest, either may have been altered, unless the manifest is
    `trusted`.
    """
    wanted = {sum_line(file): file.name for file in listed}
    try:
        found = _whole(archive, SUMS, 2 * sum(map(len, wanted)))
    except Damaged as error:
        yield Discrepancy(_what(archive, SUMS), SUMS, str(error))
        return
    lines = found.splitlines(keepends=True)
    if lines == list(wanted):
        return
    there = set(lines)
    others = [name for line, name in wanted.items() if line not in there]
    if MANIFEST in others and not trusted:
        yield Discrepancy(
            ALTERED, MANIFEST, f"{SUMS} does not have its SHA-256: this one or that one"
        )
    about = ", ".join(others[:_SHOWN])
    more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
    said = f"it does not agree with {MANIFEST} about {about}{more}"
    yield Discrepancy(
        ALTERED, SUMS, said if others else f"it is longer than it would be for {MANIFEST}"
    )


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


MAX_DIRECTORY: Final = 20 * 1024 * 1024
"""Bytes of a zip's directory; that of the largest pack has fewer."""

_MAX_END: Final = 128 * 1024  # bytes behind the directory: at most 64 KiB of comment
_BLOCK: Final = 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1
# What the module raises over damaged files; some of it is documented.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    struct.error, OverflowError, OSError, KeyError,
)  # fmt: skip


class Damaged(Exception):
    """A zip file, or one file in it, cannot be read; the message has the reason."""


class Archive:
    """A zip file that is open for looking."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the directory.

        Raises:
            Damaged: there is none, or an absurd one.
        """
        size = os.fstat(file.fileno()).st_size
        with _damage("not a zip file, or not a complete one"):
            self._zip = zipfile.ZipFile(cast("IO[bytes]", _Bounded(file)))
        members = self._zip.infolist()
        # Overlapping files are how a small zip claims to hold one thing many times.
        if sum(member.compress_size for member in members) > size:
            raise Damaged("its files overlap")
        self.comment = self._zip.comment
        # As they are there: the module cuts names at a NUL.
        self.names = Counter(member.orig_filename for member in members)
        self._members = {member.orig_filename: member for member in members}

    def read(self, name: str, most: int) -> Iterator[bytes]:
        """Give a file's bytes in blocks, up to one more than `most`.

        Raises:
            Damaged: it is not there, cannot be read, or is not as packs are.
        """
        member = self._members.get(name)
        if member is None:
            raise Damaged("it is not in the zip file")
        if member.flag_bits & _ENCRYPTED:
            raise Damaged("it is encrypted")
        if member.compress_type not in _METHODS:
            raise Damaged("it is compressed in a way that is not used in packs")
        with _damage("it cannot be read"), self._zip.open(member) as file:
            left = most + 1
            while left and (block := file.read(min(left, _BLOCK))):
                left -= len(block)
                yield block


class _Bounded:
    """A file that gives no more at once than the largest directory has.

    The module reads the whole directory at once, as long as the zip file says that it is.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise Damaged("its directory is too large for a pack")
        return self._file.read(_MAX_END if size < 0 else size)


@contextmanager
def _damage(what: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        said = str(error)
        raise Damaged(f"{what}: {said}" if said else what) from error
