"""Adding capture files to a pack, after verifying that they are unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from batchscan.capture.capture_files import SUFFIX, blocks_of, trouble_with
from batchscan.enums import CaptureKind
from batchscan.evidence import records
from batchscan.evidence.case_page import CapturedPreview
from batchscan.evidence.pack_writer import PackWriter
from batchscan.ledger.captures import CaptureFile
from batchscan.util.timestamps import rfc3339

FOLDER: Final = "captures"


class PackedCaptures(NamedTuple):
    """The captures of one picture in a pack."""

    fields: dict[str, list[records.CaptureFields]]  # by the match's key
    theirs: dict[str, CapturedPreview]  # the same
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
        theirs: dict[str, CapturedPreview] = {}
        for key, files in captured.items():
            for file in files:
                trouble = self._trouble(file)
                name = None if trouble else self._add(file)
                bad += [file.name] if trouble else []
                stamp = self._add_timestamp(file) if name else None
                fields.setdefault(key, []).append(
                    records.capture_fields(file, name, trouble, stamp)
                )
                if preview := _preview(file):
                    theirs[key] = preview
        added = sum(
            capture.file is not None for captures in fields.values() for capture in captures
        )
        return PackedCaptures(fields, theirs, added, tuple(bad))

    def _trouble(self, file: CaptureFile) -> str | None:
        """Why a file cannot be packed; None if it can."""
        return trouble_with(self._folder, file.kept)

    def _add(self, file: CaptureFile) -> str:
        name = f"{FOLDER}/{file.name}"
        blocks = blocks_of(self._folder, file.kept)
        self._packer.list(self._packer.add_unlisted(name, blocks, file.captured_at))
        return name

    def _add_timestamp(self, file: CaptureFile) -> str | None:
        if file.timestamp is None:
            return None
        name = f"{FOLDER}/{file.name}{SUFFIX}"
        self._packer.add(name, file.timestamp.response, file.captured_at)
        return name


def _preview(file: CaptureFile) -> CapturedPreview | None:
    previews = {
        resource.kind: resource.preview
        for resource in file.resources
        if resource.preview is not None
    }
    if not previews:
        return None
    shot = previews.get(CaptureKind.SCREENSHOT)
    return CapturedPreview(previews.get(CaptureKind.PICTURE), rfc3339(file.captured_at), shot)
