"""Making a pack: the answers as they came, and what the ledger knows around them.

One answer is in memory at a time. Nothing is written to the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from batchscan.about import version
from batchscan.allow import AllowRules, Rule
from batchscan.digest import Provenance
from batchscan.escape import scalars
from batchscan.evidence import records
from batchscan.evidence.manifest import MANIFEST, SUMS, Asked, Manifest, described, encode, sums
from batchscan.evidence.originals import provenance_now
from batchscan.evidence.readme import readme
from batchscan.evidence.zipping import Packer
from batchscan.ledger import Ledger
from batchscan.ledger.proof import ProvedPicture
from batchscan.times import day_of, rfc3339
from batchscan.whole import new_file

README: Final = "README.txt"
_ADVICE: Final = "name another file with --to, or free some space"


@dataclass(frozen=True, slots=True)
class Request:
    """What a pack is made of and with."""

    asked_for: Asked
    rules: AllowRules
    now: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules as they hold on one day."""

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


@dataclass(slots=True)
class _Contents:
    """What has been packed so far."""

    pictures: int = 0
    answers: int = 0
    latest: float = 0.0  # when the newest answer came
    # Whether each run that paid for an answer has a report; there are far fewer runs than answers.
    runs: dict[str, bool] = field(default_factory=dict)


def pack(ledger: Ledger, pictures: Iterable[int], request: Request, path: str) -> Packed:
    """Write the evidence about some pictures to a new file, in the order of their SHA-256.

    Raises:
        UsageError: the file is there already, or there is too much for one pack.
        StorageError: it cannot be written, or the ledger is damaged.
    """
    rules = _Rules(request.rules, day_of(request.now))
    ledger.history.tell(ledger.runs.newest(1), rules.allows)
    contents = _Contents()
    with new_file(path, _ADVICE) as file, Packer(file) as packer:
        for picture_id in pictures:
            _add_picture(ledger, packer, ledger.proof.picture(picture_id), rules, contents)
        runs = _add_runs(ledger, packer, contents)
        manifest = encode(_manifest(ledger, packer, request, contents, runs))
        packer.add_unlisted(MANIFEST, manifest, contents.latest)
        packer.add_unlisted(SUMS, sums(packer.files, manifest), contents.latest)
    return Packed(
        path,
        contents.pictures,
        contents.answers,
        runs,
        len(packer.files) + 2,
        described(MANIFEST, manifest).sha256,
    )


def _manifest(
    ledger: Ledger, packer: Packer, request: Request, contents: _Contents, runs: int
) -> Manifest:
    """Add the text for people, and list everything."""
    service, sandbox = ledger.proof.service()
    made_at, address = rfc3339(request.now), scalars(service)
    packer.add(README, readme(version(), made_at, address, sandbox=sandbox), contents.latest)
    return Manifest(
        made_at=made_at,
        batchscan=version(),
        service=address,
        sandbox=sandbox,
        asked_for=request.asked_for,
        pictures=contents.pictures,
        answers=contents.answers,
        runs=runs,
        files=packer.files,
    )


def _add_picture(
    ledger: Ledger, packer: Packer, picture: ProvedPicture, rules: _Rules, contents: _Contents
) -> None:
    answers = list(_add_answers(ledger, packer, picture, contents))
    recorded = _recorded(picture.provenance)
    record = records.PictureFields(
        sha256=picture.sha256,
        bytes=picture.size,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        paths=records.paths_of(picture),
        provenance=records.provenance_of(recorded, None if recorded else provenance_now(picture)),
        answers=answers,
        matches=list(_matches(ledger, picture, rules)),
    )
    packer.add(f"pictures/{picture.sha256}.json", records.encode(record), contents.latest)
    contents.pictures += 1


def _add_answers(
    ledger: Ledger, packer: Packer, picture: ProvedPicture, contents: _Contents
) -> Iterator[records.AnswerFields]:
    names: set[str] = set()
    for proved in ledger.proof.answers(picture.id):
        answer = proved.answer
        name = f"answers/{answer.scan_id}.json"
        if name in names:  # asked again under the same id, and answered twice
            name = f"answers/{answer.scan_id}-{answer.id}.json"
        names.add(name)
        packer.add(name, answer.body, answer.received_at)
        contents.answers += 1
        contents.latest = max(contents.latest, answer.received_at)
        yield records.answer_of(proved, name, _run_file(ledger, answer.run_id, contents))


def _run_file(ledger: Ledger, run_id: str, contents: _Contents) -> str | None:
    if run_id not in contents.runs:
        run = ledger.runs.closed(run_id)
        contents.runs[run_id] = run is not None and run.report is not None
    return f"runs/{run_id}.json" if contents.runs[run_id] else None


def _add_runs(ledger: Ledger, packer: Packer, contents: _Contents) -> int:
    """Add the reports, as the ledger keeps them; gives how many there are."""
    reported = sorted(run_id for run_id, reported in contents.runs.items() if reported)
    for run_id in reported:
        run = ledger.runs.closed(run_id)
        if run is not None and run.report is not None:
            packer.add(f"runs/{run_id}.json", run.report, run.started_at)
    return len(reported)


def _matches(
    ledger: Ledger, picture: ProvedPicture, rules: _Rules
) -> Iterator[records.MatchFields]:
    marked = ledger.proof.marked(picture.id)
    for sighting in ledger.history.of(picture.id):
        rule = rules.rule_for(sighting.match.url, picture.sha256, picture.paths)
        yield records.match_of(sighting.match, marked.get(sighting.key), rule)


def _recorded(provenance: bytes | None) -> Provenance | None:
    if provenance is None:
        return None
    try:
        return msgspec.json.decode(provenance, type=Provenance)
    except msgspec.MsgspecError:
        return None
