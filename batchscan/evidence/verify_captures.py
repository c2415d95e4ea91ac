"""Verifying the captures of a pack: digests of WARC records, and timestamps of the files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from batchscan.errors import UsageError
from batchscan.evidence.manifest import PackedFile
from batchscan.evidence.verify_bodies import SaidCapture, disagreements, said_captures

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
    """What was seen of the captures."""

    files: int = 0
    records: int = 0
    timestamps: int = 0  # whose time could be read and that are about their file
    checked: int = 0  # of these, signed by whom the given certificates trust
    unread: list[str] = field(default_factory=list)  # timestamps that could not be read here

    def add(self, name: str, *, signed: bool | None) -> None:
        """Count a timestamp, as `check_timestamp` found it."""
        if signed is None:
            self.unread.append(name)
        else:
            self.timestamps += 1
            self.checked += signed


def look_into(
    files: Sequence[PackedFile],
    read: Callable[[str, int], Iterator[bytes]],
    report: CaptureReport,
    roots: bytes | None,
    damaged: type[Exception],
) -> Iterator[tuple[str, str]]:
    """Look into the captures of a pack, and hold timestamps against their files.

    Args:
        files: all of the pack.
        read: gives a file's bytes, up to one more than so many.
        report: is brought up to date.
        roots: certificates of authorities in PEM, who have to have signed the timestamps.
        damaged: what `read` raises where it cannot; that is named elsewhere.

    Yields:
        a file's name and what is wrong with it.

    Raises:
        UsageError: as for `check_timestamp`.
    """
    sha256 = {file.name: file.sha256 for file in files}
    said = said_captures(files, read, damaged)
    for file in files:
        try:
            if is_capture(file.name):
                captures = said.get(file.name, [])
                report.records += check_warc(read(file.name, max(0, file.bytes)), captures)
                report.files += 1
                if any(each.sha256 != file.sha256 for each in captures):
                    yield file.name, "pictures/ says that it had another SHA-256"
            elif is_timestamp(file.name):
                response = b"".join(read(file.name, _MAX_STAMP))
                stamped = sha256.get(file.name.removesuffix(STAMP), "")
                report.add(file.name, signed=check_timestamp(response, stamped, roots))
        except damaged:
            continue
        except CaptureFault as error:
            yield file.name, str(error)


def is_capture(name: str) -> bool:
    """Whether a file of a pack is a WARC file."""
    return _NAME.fullmatch(name) is not None and name.endswith(WARC)


def is_timestamp(name: str) -> bool:
    """Whether a file of a pack is an authority's answer."""
    return _NAME.fullmatch(name) is not None and name.endswith(WARC + STAMP)


def check_warc(blocks: Iterable[bytes], said: Sequence[SaidCapture] = ()) -> int:
    """Check every record's digests; returns the number of records.

    Args:
        blocks: the file.
        said: what is said of it elsewhere in the pack: the records have to hold that.

    Raises:
        CaptureFault: one does not agree, or it is not a WARC file.
    """
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            file.write(block)
        file.seek(0)
        count = _check_records(file)
        for capture in said:
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
    said = read_timestamp(response)
    if said is None:
        return None
    if said.sha256 != sha256:
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
