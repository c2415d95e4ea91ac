"""Saving a paid answer that the ledger cannot store: in the run's folder, or on stderr."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import msgspec

from batchscan.model import Claim
from batchscan.util.private_files import open_private, sync

FILE_NAME = "rescued-answers.jsonl"


class RescuedAnswer(msgspec.Struct, frozen=True):
    """An answer outside the ledger, until the next run takes it in."""

    scan_id: str
    received_at: float
    body_b64: str

    @property
    def body(self) -> bytes:
        """The verbatim body."""
        return base64.b64decode(self.body_b64)


def rescue(folder: str, claim: Claim, body: bytes, received_at: float) -> str:
    """Write an answer durably where there is still room; returns where, for a message."""
    text = base64.b64encode(body).decode()
    line = msgspec.json.encode(RescuedAnswer(claim.scan_id, received_at, text)) + b"\n"
    path = Path(folder, FILE_NAME)
    try:
        fd = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            _write_whole(fd, b"\n" + line)  # ends a partial line of a failed write
            sync(fd)
        finally:
            os.close(fd)
    except OSError:
        sys.stderr.buffer.write(b"batchscan: a paid answer that could not be stored: " + line)
        sys.stderr.buffer.flush()
        return "stderr"
    return str(path)


def rescued(folder: str) -> list[RescuedAnswer]:
    """The answers in a run's folder, without partial lines."""
    return [answer for answer in read_lines(folder) if answer is not None]


def read_lines(folder: str) -> list[RescuedAnswer | None]:
    """The answers in a run's folder; None for each line that cannot be read."""
    try:
        lines = Path(folder, FILE_NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError:
        return [None]
    return [_read(line) for line in lines if line.strip()]


def _read(line: bytes) -> RescuedAnswer | None:
    try:
        return msgspec.json.decode(line, type=RescuedAnswer)
    except msgspec.DecodeError:
        return None


def _write_whole(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
