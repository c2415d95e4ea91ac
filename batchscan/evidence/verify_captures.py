"""Verifying the captures of a pack: digests of WARC records, and timestamps of the files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from batchscan.errors import UsageError
from batchscan.evidence.manifest import PackedFile
from batchscan.evidence.pack_reader import Damaged, PackReader
from batchscan.evidence.verify_bodies import CaptureRecord, capture_records, disagreements

WARC: Final = ".warc.gz"
STAMP: Final = ".tsr"

MAX_UNPACKED: Final = 2_000_000_000
"""Bytes of one file's records; the largest capture has a tenth of it."""

_NAME: Final = re.compile(r"captures/[A-Za-z0-9][A-Za-z0-9._-]*")
_BLOCK: Final = 65_536
_MAX_STAMP: Final = 1_000_000  # bytes of a timestamp


class CaptureFault(Exception):
    """A capture is not valid; the message has the reason."""


@dataclass(slots=True)
class CaptureReport:
    """Counts of the verified captures."""

    files: int = 0
    records: int = 0
    timestamps: int = 0  # that are about their file, with a readable time
    checked: int = 0  # of these, signed by an authority with the given certificates
    unread: list[str] = field(default_factory=list)  # timestamps that could not be read here

    def add(self, name: str, *, signed: bool | None) -> None:
        """Count the result of `check_timestamp`."""
        if signed is None:
            self.unread.append(name)
        else:
            self.timestamps += 1
            self.checked += signed


def verify_captures(
    pack: PackReader, files: Sequence[PackedFile], report: CaptureReport, roots: bytes | None
) -> Iterator[tuple[str, str]]:
    """Verify the captures of a pack and their timestamps; updates `report`.

    Args:
        pack: the pack.
        files: all of its files.
        report: the counts.
        roots: certificates in PEM of the authorities that must have signed the timestamps.

    Yields:
        a file's name and what is wrong with it.

    Raises:
        UsageError: as for `check_timestamp`.
    """
    sha256 = {file.name: file.sha256 for file in files}
    records = capture_records(pack, files)
    for file in files:
        try:
            if is_capture(file.name):
                _verify_capture(pack, file, records.get(file.name, []), report)
            elif is_timestamp(file.name):
                response = b"".join(pack.read(file.name, _MAX_STAMP))
                stamped = sha256.get(file.name.removesuffix(STAMP), "")
                report.add(file.name, signed=check_timestamp(response, stamped, roots))
        except Damaged:  # reported with the pack's other files
            continue
        except CaptureFault as error:
            yield file.name, str(error)


def _verify_capture(
    pack: PackReader, file: PackedFile, records: Sequence[CaptureRecord], report: CaptureReport
) -> None:
    report.records += check_warc(pack.read(file.name, max(0, file.bytes)), records)
    report.files += 1
    if any(record.sha256 != file.sha256 for record in records):
        raise CaptureFault("pictures/ says that it had another SHA-256")


def is_capture(name: str) -> bool:
    """Whether a file of a pack is a WARC file."""
    return _NAME.fullmatch(name) is not None and name.endswith(WARC)


def is_timestamp(name: str) -> bool:
    """Whether a file of a pack is a timestamp."""
    return _NAME.fullmatch(name) is not None and name.endswith(WARC + STAMP)


def check_warc(blocks: Iterable[bytes], captures: Sequence[CaptureRecord] = ()) -> int:
    """Check every record's digests; returns the number of records.

    Args:
        blocks: the file.
        captures: what the pack's records say about it, which it must contain.

    Raises:
        CaptureFault: one does not agree, or it is not a WARC file.
    """
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            file.write(block)
        file.seek(0)
        count = _check_records(file)
        for capture in captures:
            if (wrong := next(disagreements(file, capture.resources), None)) is not None:
                raise CaptureFault(wrong)
        return count


def _check_records(file: IO[bytes]) -> int:
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 - most packs hold none
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415

    count = size = 0
    try:
        for record in ArchiveIterator(file, check_digests=True):
            count += 1
            while block := record.raw_stream.read(_BLOCK):
                size += len(block)
                if size > MAX_UNPACKED:
                    raise CaptureFault("it is too large for a capture")
            if record.digest_checker.passed is False:
                problems = ", ".join(map(str, record.digest_checker.problems))
                raise CaptureFault(f"record {count}: {problems}")
    except (ArchiveLoadFailed, OSError, EOFError, ValueError, KeyError) as error:
        raise CaptureFault(f"it cannot be read as WARC: {type(error).__name__}") from error
    if not count:
        raise CaptureFault("it contains no record")
    return count


def check_timestamp(response: bytes, sha256: str, roots: bytes | None) -> bool | None:
    """Check that a timestamp is about a file.

    Args:
        response: the authority's answer.
        sha256: of the file.
        roots: certificates of authorities in PEM, who have to have signed it; None for anybody.

    Returns:
        True if it was checked whom it is signed by, False if only that it is about the file,
        None if it cannot be read here.

    Raises:
        CaptureFault: it is about something else, or signed by others.
        UsageError: rfc3161-client is not installed, though certificates are given.
    """
    from batchscan.capture.trusted_timestamps import read_timestamp, require_client  # noqa: PLC0415 - an extra

    try:
        require_client("--timestamp-ca")
    except UsageError:
        if roots is not None:
            raise
        return None
    timestamp = read_timestamp(response)
    if timestamp is None:
        return None
    if timestamp.sha256 != sha256:
        raise CaptureFault("the timestamp is about another file")
    if roots is None:
        return False
    _check_signature(response, sha256, roots)
    return True


def _check_signature(response: bytes, sha256: str, roots: bytes) -> None:
    """Check who signed a timestamp, by the certificates that were valid at its time."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - an extra
    from rfc3161_client import (  # noqa: PLC0415
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        builder = VerifierBuilder()
        for certificate in load_pem_x509_certificates(roots):
            builder = builder.add_root_certificate(certificate)
        verifier = builder.build()
    except ValueError as error:
        raise UsageError(f"--timestamp-ca: no certificates can be read there: {error}") from None
    try:
        verifier.verify(decode_timestamp_response(response), bytes.fromhex(sha256))
    except (VerificationError, ValueError) as error:
        raise CaptureFault(f"the timestamp is not signed as it should be: {error}") from error
