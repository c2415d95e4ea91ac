"""The files of captures on their way into a pack: those that are as they were written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from batchscan.enums import CaptureKind
from batchscan.evidence import records
from batchscan.evidence.case_page import Theirs
from batchscan.evidence.manifest import SAFE_NAME
from batchscan.evidence.pack_writer import PackWriter
from batchscan.ledger.captures import CaptureFile
from batchscan.util.timestamps import rfc3339

FOLDER: Final = "captures"
SUFFIX: Final = ".tsr"
_BLOCK: Final = 1024 * 1024


class PackedCaptures(NamedTuple):
    """What was added for one picture."""

    fields: dict[str, list[records.CaptureFields]]  # by the match's key
    theirs: dict[str, Theirs]  # the same
    files: int
    bad: tuple[str, ...]  # what is missing or altered: names


class CapturePacker:
    """Adds captures to a pack.

    Args:
        folder: where the files are.
        packer: the pack.
    """

    def __init__(self, folder: str, packer: PackWriter) -> None:
        self._folder = folder
        self._packer = packer

    def add(self, captured: Mapping[str, Sequence[CaptureFile]]) -> PackedCaptures:
        """Add all captures of a picture's matches, by the match's key."""
        bad: list[str] = []
        fields: dict[str, list[records.CaptureFields]] = {}
        theirs: dict[str, Theirs] = {}
        for key, files in captured.items():
            for file in files:
                trouble = self._trouble(file)
                name = None if trouble else self._add(file)
                bad += [file.name] if trouble else []
                stamp = self._add_timestamp(file) if name else None
                fields.setdefault(key, []).append(
                    records.capture_fields(file, name, trouble, stamp)
                )
                if looked := _look(file):
                    theirs[key] = looked
        added = sum(each.file is not None for every in fields.values() for each in every)
        return PackedCaptures(fields, theirs, added, tuple(bad))

    def _trouble(self, file: CaptureFile) -> str | None:
        """Why a file cannot be packed; None where it can."""
        if not SAFE_NAME.fullmatch(file.name):
            return "its name is none of ours"
        try:
            digest = hashlib.sha256()
            for block in self._blocks(file):
                digest.update(block)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        return None if digest.hexdigest() == file.sha256 else "it was altered after the capture"

    def _add(self, file: CaptureFile) -> str:
        name = f"{FOLDER}/{file.name}"
        self._packer.list(self._packer.add_unlisted(name, self._blocks(file), file.captured_at))
        return name

    def _add_timestamp(self, file: CaptureFile) -> str | None:
        if file.timestamp is None:
            return None
        name = f"{FOLDER}/{file.name}{SUFFIX}"
        self._packer.add(name, file.timestamp.response, file.captured_at)
        return name

    def _blocks(self, file: CaptureFile) -> Iterator[bytes]:
        with open(os.path.join(self._folder, file.name), "rb") as opened:
            while block := opened.read(_BLOCK):
                yield block


def _look(file: CaptureFile) -> Theirs | None:
    looks = {each.kind: each.preview for each in file.resources if each.preview is not None}
    if not looks:
        return None
    shot = looks.get(CaptureKind.SCREENSHOT)
    return Theirs(looks.get(CaptureKind.PICTURE), rfc3339(file.captured_at), shot)
