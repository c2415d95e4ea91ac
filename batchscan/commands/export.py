"""The output of `batchscan export` for one image, as JSON and as cells of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from batchscan.enums import MatchKind, MatchState, Status
from batchscan.ledger import KnownFile, StoredAnswer
from batchscan.model import TrackedMatch
from batchscan.report.decisions import DecisionFields, decision_fields, in_force
from batchscan.report_sections import MatchDecision
from batchscan.result_fields import (
    CoveredByFields,
    MatchFields,
    ScoreFields,
    SentFields,
    covered_by_fields,
    match_fields,
    score_fields,
    sent_fields,
)
from batchscan.runs.answer_lines import read_again
from batchscan.runs.rebuild import with_history
from batchscan.util.escaping import MAX_CELL, csv_cell, path_fields, spreadsheet_cell
from batchscan.util.timestamps import rfc3339

MATCH_COLUMNS = (
    "total",
    "full",
    "partial",
    "match_urls",
    "disposition",  # of the addresses in this row, as the rest: "2 reviewed, 1 open"
    "decided_at",  # the newest of the decisions that hold
    "decided_by",
    "note",
    "recheck",  # what their sites answered last: "1 gone, 1 there"
    "rechecked_at",
)


class ExportedMatch(MatchFields, frozen=True, kw_only=True):
    """A match with everything that was decided about it."""

    decisions: list[DecisionFields] = msgspec.field(default_factory=list)  # the newest first


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One image with its final verdict; the names are those of results.jsonl."""

    schema: Literal[1] = 1
    path: str
    path_b64: str | None
    status: Status  # scanned: answered, here or at another path; covered; rejected
    reason: str | None = None
    detail: str | None = None
    bytes: int
    sha256: str | None
    format: str | None
    width: int | None
    height: int | None
    scan_id: str | None = None
    generation: int | None = None
    credits: int | None = None
    sandbox: bool
    scanned_at: str | None = None
    score: ScoreFields | None = None
    matches: list[ExportedMatch] = msgspec.field(default_factory=list)
    sent: SentFields | None = None
    covered_by: CoveredByFields | None = None


class _RejectedLine(msgspec.Struct):
    """The fields of a rejected file's line that are exported."""

    reason: str | None = None
    detail: str | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None


COLUMNS = (*(name for name in Exported.__struct_fields__[:-4] if name != "schema"), *MATCH_COLUMNS)


def exported(
    file: KnownFile,
    history: Mapping[str, TrackedMatch],
    decisions: Mapping[str, Sequence[MatchDecision]],
    *,
    sandbox: bool,
) -> Exported | None:
    """Write down one file and its matches; None for one that has no final verdict.

    Args:
        file: it.
        history: its matches, by their normalized URLs.
        decisions: about these, by URL.
        sandbox: whether the answers are mock answers.
    """
    path, path_b64 = path_fields(file.path)
    file_fields = Exported(
        path=path,
        path_b64=path_b64,
        status=Status.COVERED if file.covered_by else Status.SCANNED,
        bytes=file.size,
        sha256=file.sha256,
        format=file.format,
        width=file.width,
        height=file.height,
        sandbox=sandbox,
        sent=sent_fields(file.sent),
        covered_by=None if file.covered_by is None else covered_by_fields(file.covered_by),
    )
    if file.answer is not None:
        return _answered(file_fields, file.answer, history, decisions)
    if file.rejection is not None:
        line = msgspec.json.decode(file.rejection, type=_RejectedLine)
        return msgspec.structs.replace(
            file_fields, status=Status.REJECTED, **msgspec.structs.asdict(line)
        )
    return None


def _answered(
    file_fields: Exported,
    stored: StoredAnswer,
    history: Mapping[str, TrackedMatch],
    decisions: Mapping[str, Sequence[MatchDecision]],
) -> Exported:
    reread = read_again(stored, sandbox=file_fields.sandbox)
    answer = with_history(reread, history)
    return msgspec.structs.replace(
        file_fields,
        scan_id=stored.scan_id,
        generation=stored.generation,
        credits=stored.credits if file_fields.covered_by is None else 0,
        scanned_at=rfc3339(stored.received_at),
        score=score_fields(answer),
        matches=[
            ExportedMatch(
                **msgspec.structs.asdict(fields),
                decisions=decision_fields(decisions.get(match.url, ())),
            )
            for match, fields in zip(
                (*answer.matches, *answer.gone), match_fields(answer), strict=True
            )
        ],
    )


def rows(line: Exported) -> Iterator[list[str]]:
    """The table's rows of one image, in the order of `COLUMNS`; no cell is taken for a formula.

    One row, or one for each match where a single cell could not hold all their addresses.
    """
    present = [match for match in line.matches if match.state != MatchState.GONE]
    kinds = [match.kind for match in present]
    own = [_cell(getattr(line, name)) for name in COLUMNS[: -len(MATCH_COLUMNS)]]
    own += map(_cell, (len(kinds), kinds.count(MatchKind.FULL), kinds.count(MatchKind.PARTIAL)))
    together = " ".join(match.url for match in present)
    fits = len(csv_cell(together).encode("utf-16-le")) <= 2 * MAX_CELL
    for some in [present] if fits else [[match] for match in present]:
        yield [*own, *map(_cell, _match_values(some))]


def _match_values(matches: Sequence[ExportedMatch]) -> Iterator[str | None]:
    """The last columns of a row about some matches."""
    yield " ".join(match.url for match in matches)
    yield _counted([match.disposition for match in matches if match.disposition])
    newest_decisions = (in_force(match.decisions, match.disposition) for match in matches)
    decided = [decision for decision in newest_decisions if decision is not None]
    newest = max(decided, key=lambda decision: decision.at, default=None)
    yield from (newest.at, newest.who, newest.note) if newest else (None, None, None)
    checked = [match.recheck for match in matches if match.recheck is not None]
    yield _counted([recheck.verdict for recheck in checked])
    yield max((recheck.checked_at for recheck in checked), default=None)


def _counted(words: Sequence[str]) -> str:
    """One word where all are the same, else how many there are of each."""
    counts = Counter(words)
    if len(counts) < 2:  # noqa: PLR2004 - "reviewed" says as much as "2 reviewed"
        return "".join(counts)
    return ", ".join(f"{number} {word}" for word, number in counts.most_common())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else spreadsheet_cell(str(value))
