"""Making a pack: verbatim answers, and the facts around them from the ledger.

One answer is in memory at a time. Nothing is written to the ledger.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from batchscan.allow import AllowRules, Rule
from batchscan.evidence import records
from batchscan.evidence.captured import FOLDER, CapturePacker, PackedCaptures
from batchscan.evidence.case_page import CASE, CasePage
from batchscan.evidence.case_previews import CasePreviews
from batchscan.evidence.content_credentials import NOT_READ, read_credentials
from batchscan.evidence.manifest import (
    MANIFEST,
    SUMS,
    Manifest,
    PackedFile,
    PackRequest,
    encode,
    sum_line,
)
from batchscan.evidence.pack_writer import PackWriter
from batchscan.evidence.readme import readme
from batchscan.evidence.select import read_current_file
from batchscan.images.preview import read_provenance
from batchscan.ledger import Everything, Ledger
from batchscan.ledger.evidence import EvidencePicture
from batchscan.model import Provenance
from batchscan.util.atomic_file import create_file
from batchscan.util.escaping import replace_surrogates
from batchscan.util.timestamps import rfc3339, utc_date
from batchscan.version import version

README: Final = "README.txt"
_ADVICE: Final = "or name another file with --to"


@dataclass(frozen=True, slots=True)
class PackInputs:
    """The inputs of a pack."""

    asked_for: PackRequest
    rules: AllowRules
    now: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class _Rules:
    """The allow rules on one day."""

    rules: AllowRules
    today: date

    def rule_for(self, url: str, sha256: str, paths: Sequence[bytes]) -> Rule | None:
        number = self.rules.rule_for(url, sha256, paths, self.today)
        return None if number is None else self.rules.rules[number]

    def allows(self, url: str, sha256: str, paths: Sequence[bytes]) -> bool:
        return self.rule_for(url, sha256, paths) is not None


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack that was written."""

    path: str
    pictures: int
    answers: int
    runs: int
    files: int
    manifest_sha256: str
    captures: int = 0
    missing: tuple[str, ...] = ()  # captures whose files are not as they were, or not there


def pack(ledger: Ledger, pictures: Iterable[int], request: PackInputs, path: str) -> Packed:
    """Write a pack about pictures, in this order, to a new file.

    Raises:
        UsageError: the file exists, or there is too much for one pack.
        StorageError: it cannot be written, or the ledger is damaged.
    """
    rules = _Rules(request.rules, utc_date(request.now))
    with (
        create_file(path, _ADVICE) as file,
        PackWriter(file) as packer,
        tempfile.TemporaryFile() as articles,
        tempfile.TemporaryFile() as contents,
        closing(CasePreviews()) as previews,
    ):
        packing = _PackBuilder(ledger, packer, rules, CasePage(articles, contents), previews)
        for picture_id in pictures:
            packing.add_picture(ledger.evidence.picture(picture_id))
        packing.add_runs()
        manifest = packing.describe(request)
        sha256 = packing.add_lists(manifest).sha256
    return Packed(
        path,
        manifest.pictures,
        manifest.answers,
        manifest.runs,
        packer.count,
        sha256,
        manifest.captures,
        tuple(packing.missing),
    )


class _PackBuilder:
    """A pack that is being made."""

    def __init__(
        self,
        ledger: Ledger,
        packer: PackWriter,
        rules: _Rules,
        case: CasePage,
        previews: CasePreviews,
    ) -> None:
        last = ledger.runs.last()
        self._ledger = ledger
        self._view = ledger.view(Everything(), [last.run_id] if last else [], rules.allows)
        self._packer = packer
        self._rules = rules
        self._case = case
        self._previews = previews
        self._captured = CapturePacker(os.path.join(ledger.path.parent, FOLDER), packer)
        self._captures = 0
        self.missing: list[str] = []
        self._pictures = 0
        self._answers = 0
        self._latest = 0.0  # when the newest answer came
        # Whether a run that paid for an answer has a report; runs are far fewer than answers.
        self._reported: dict[str, bool] = {}

    def add_picture(self, picture: EvidencePicture) -> None:
        """Add all answers about a picture, and its record."""
        answers = list(self._add_answers(picture.id))
        recorded = _recorded(picture.provenance)
        data = read_current_file(picture)
        now = None if recorded or data is None else read_provenance(picture.format, data)
        captured = self._captured.add(self._ledger.captures.of_picture(picture.id))
        record = records.PictureFields(
            sha256=picture.sha256,
            bytes=picture.size,
            format=picture.format,
            width=picture.width,
            height=picture.height,
            paths=records.paths_of(picture),
            provenance=records.provenance_of(recorded, now),
            content_credentials=NOT_READ if data is None else read_credentials(data),
            answers=answers,
            matches=list(self._matches(picture, captured)),
            versions=records.versions_of(picture),
        )
        name = f"pictures/{picture.sha256}.json"
        self._packer.add(name, records.encode(record), self._latest)
        self._pictures += 1
        self._captures += captured.files
        self.missing += captured.bad
        ours = self._previews.of(data, self._ledger.review_queue.details.thumbnail(picture.id))
        self._case.add(record, ours, captured.theirs)

    def add_runs(self) -> None:
        """Add the reports of the runs that paid for the answers, from the ledger."""
        for run_id, reported in sorted(self._reported.items()):
            run = self._ledger.runs.closed(run_id) if reported else None
            if run is not None and run.report is not None:
                self._packer.add(f"runs/{run_id}.json", run.report, run.started_at)

    def describe(self, request: PackInputs) -> Manifest:
        """Add README.txt and case.html; returns the manifest without files."""
        service, sandbox = self._ledger.evidence.service()
        made_at, address = rfc3339(request.now), replace_surrogates(service)
        text = readme(version(), made_at, address, sandbox=sandbox)
        self._packer.add(README, text, self._latest)
        manifest = Manifest(
            made_at=made_at,
            batchscan=version(),
            service=address,
            sandbox=sandbox,
            asked_for=request.asked_for,
            pictures=self._pictures,
            answers=self._answers,
            runs=sum(self._reported.values()),
            captures=self._captures,
            files=[],
        )
        page = self._packer.add_unlisted(CASE, self._case.blocks(manifest), self._latest)
        self._packer.list(page)
        return manifest

    def add_lists(self, manifest: Manifest) -> PackedFile:
        """Add the lists of files, for programs and for `sha256sum`; returns the manifest."""
        packer = self._packer
        blocks = encode(manifest, packer.entries.read_all())
        listed = packer.add_unlisted(MANIFEST, blocks, self._latest)
        packer.sums.add(sum_line(listed))
        packer.add_unlisted(SUMS, packer.sums.read_all(), self._latest)
        return listed

    def _add_answers(self, picture_id: int) -> Iterator[records.AnswerFields]:
        names: set[str] = set()
        for proved in self._ledger.evidence.answers(picture_id):
            answer = proved.answer
            name = f"answers/{answer.scan_id}.json"
            if name in names:  # asked again under the same id, and answered twice
                name = f"answers/{answer.scan_id}-{answer.id}.json"
            names.add(name)
            self._packer.add(name, answer.body, answer.received_at)
            self._answers += 1
            self._latest = max(self._latest, answer.received_at)
            yield records.to_answer(proved, name, self._run_file(answer.run_id))

    def _run_file(self, run_id: str) -> str | None:
        if run_id not in self._reported:
            run = self._ledger.runs.closed(run_id)
            self._reported[run_id] = run is not None and run.report is not None
        return f"runs/{run_id}.json" if self._reported[run_id] else None

    def _matches(
        self, picture: EvidencePicture, captured: PackedCaptures
    ) -> Iterator[records.PackedMatch]:
        marked = self._ledger.evidence.marked(picture.id)
        decisions = self._ledger.decision_history.of_picture(picture.id)
        for key, match in self._view.matches_of(picture.id).items():
            rule = self._rules.rule_for(match.url, picture.sha256, picture.paths)
            decided = decisions.get(match.url, ())
            files = captured.fields.get(key, ())
            yield records.match_of(match, marked.get(key), rule, decided, files)


def _recorded(provenance: bytes | None) -> Provenance | None:
    if provenance is None:
        return None
    try:
        return msgspec.json.decode(provenance, type=Provenance)
    except msgspec.MsgspecError:
        return None
