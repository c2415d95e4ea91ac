"""Making an `Image` or `NotSendable` from a file's content and the judge's verdict."""

from __future__ import annotations

import hashlib
import os
from typing import Final

from batchscan.enums import RejectReason
from batchscan.images.file_name import safe_file_name
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted
from batchscan.model import Image, NotSendable, Stat

CONVERTED_FOR: Final = frozenset(
    {
        RejectReason.UNSUPPORTED_FORMAT,
        RejectReason.TOO_LARGE,
        RejectReason.TOO_MANY_PIXELS,
    }
)
"""What the service refuses, and a conversion may avoid."""


def judged(path: str, status: Stat, data: bytes, judge: Judge) -> Image | NotSendable:
    """Hash and judge a file's whole content."""
    digest = hashlib.sha256(data).hexdigest()
    verdict = judge.judge(data, os.path.basename(path), digest)
    if isinstance(verdict, Accepted):
        return image_of(path, status, data, digest, verdict)
    return NotSendable(
        path,
        status,
        verdict.reason,
        verdict.detail,
        digest,
        verdict.format,
        verdict.width,
        verdict.height,
        by_conversion=verdict.reason in CONVERTED_FOR,
    )


def image_of(path: str, status: Stat, data: bytes, digest: str, verdict: Accepted) -> Image:
    """The `Image` for an accepting verdict."""
    return Image(
        path,
        status,
        data,
        digest,
        verdict.format,
        verdict.width,
        verdict.height,
        verdict.content_type,
        safe_file_name(path, verdict.extension),
        verdict.warnings,
        verdict.kind,
        verdict.convert,
        fingerprint=verdict.fingerprint,
    )
