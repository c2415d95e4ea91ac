"""Making an `Image` or `NotSendable` from a file's content and the judge's verdict."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Final

from batchscan.enums import RejectReason
from batchscan.images.file_name import safe_file_name
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted
from batchscan.model import Candidate, Image, NotSendable, Stat

CONVERTED_FOR: Final = frozenset(
    {
        RejectReason.UNSUPPORTED_FORMAT,
        RejectReason.TOO_LARGE,
        RejectReason.TOO_MANY_PIXELS,
    }
)
"""The reasons of rejections that a conversion may avoid."""


def judged(candidate: Candidate, status: Stat, data: bytes, judge: Judge) -> Image | NotSendable:
    """Hash and judge a file's whole content.

    The same bytes under the same name have the verdict that they had before in this run.
    """
    path, before = candidate.path, candidate.inspected
    digest = hashlib.sha256(data).hexdigest()
    if before is not None and before.sha256 == digest:
        return replace(before, stat=status, data=data)
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
