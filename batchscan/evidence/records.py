"""`pictures/SHA256.json`: the facts about one picture, its answers, matches and captures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from batchscan.allow import Rule
from batchscan.enums import CaptureKind
from batchscan.evidence.content_credentials import NOT_READ, CredentialsFields
from batchscan.ledger.captures import CaptureFile
from batchscan.ledger.evidence import EvidenceAnswer, EvidencePicture
from batchscan.model import Provenance, TrackedMatch
from batchscan.report.decisions import DecisionFields, decision_fields
from batchscan.report_sections import MatchDecision
from batchscan.result_fields import MatchFields, SentFields, fields_of
from batchscan.util.escaping import escape_json, path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339


class PathFields(msgspec.Struct, frozen=True):
    """A path of the picture, now or when it was sent."""

    path: str
    path_b64: str | None  # the name's bytes, where they are not UTF-8


class ProvenanceFields(msgspec.Struct, frozen=True):
    """The picture's own metadata; `source` says when it was read."""

    source: Literal["read when it was sent", "read for this pack", "not recorded"]
    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    created: str | None = None


class PackedSent(SentFields, frozen=True, kw_only=True):
    """The bytes that were sent instead of the picture; they can be made again from it."""

    made_with: str


class AnswerFields(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the service."""

    file: str  # its verbatim bytes
    scan_id: str
    generation: int
    asked_at: str | None
    received_at: str
    sent_as: PathFields | None
    credits: int | None
    run_id: str
    run_file: str | None  # the report of the run that paid for it; null while that is under way
    sent: PackedSent | None = None  # null if the picture's file itself was sent


class RuleFields(msgspec.Struct, frozen=True):
    """The rule of allow.yaml that allows a match."""

    what: str
    reason: str
    by: str | None
    until: str | None


class ResourceFields(msgspec.Struct, frozen=True, kw_only=True):
    """One address that was captured."""

    kind: CaptureKind
    url: str
    http_status: int | None
    trouble: str | None  # why nothing was answered, or why it is not whole
    position: int | None  # of its record in the file, in bytes
    sha256: str | None  # of the body without transfer and content coding
    bytes: int | None
    media_type: str | None
    likeness: float | None = None  # of the picture to what was first fetched there, 0 to 1
    our_likeness: float | None = None  # to ours


class TimestampFields(msgspec.Struct, frozen=True, kw_only=True):
    """A timestamp authority's answer about the file (RFC 3161)."""

    file: str  # its verbatim answer
    url: str
    at: str | None  # as it says; null if that could not be read


class CaptureFields(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a match's addresses at one time."""

    file: str | None  # WARC; null if it is not in here
    trouble: str | None  # why
    bytes: int
    sha256: str
    captured_at: str
    who: str
    timestamp: TimestampFields | None
    resources: list[ResourceFields]


class PackedMatch(MatchFields, frozen=True, kw_only=True):
    """A copy on the web, as all answers together show it."""

    marked_at: str | None
    allowed_by: RuleFields | None
    decisions: list[DecisionFields] = msgspec.field(default_factory=list)  # the newest first
    captures: list[CaptureFields] = msgspec.field(default_factory=list)  # the oldest first


class VersionFields(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was not sent: another version of the picture, by a rule on its pixels."""

    path: PathFields
    width: int
    height: int
    distance: int  # bits of 256 in which the two hashes differ
    difference: int  # the largest of any channel of thumbnails of 48 x 48, 0 to 255
    rule: str


class PictureFields(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the file."""

    schema: Literal[1] = 1
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    paths: list[PathFields]
    provenance: ProvenanceFields
    content_credentials: CredentialsFields = NOT_READ  # C2PA
    answers: list[AnswerFields]
    matches: list[PackedMatch]
    versions: list[VersionFields] = msgspec.field(default_factory=list)  # what was not asked about


def encode(picture: PictureFields) -> bytes:
    """Encode a record, one line for each field."""
    return escape_json(msgspec.json.format(msgspec.json.encode(picture), indent=1)) + b"\n"


def paths_of(picture: EvidencePicture) -> list[PathFields]:
    """The fields about a picture's paths."""
    return [PathFields(*path_fields(path)) for path in picture.paths]


def versions_of(picture: EvidencePicture) -> list[VersionFields]:
    """The fields about the versions that a picture's answers also hold for."""
    return [
        VersionFields(
            path=PathFields(*path_fields(version.path)),
            width=version.width,
            height=version.height,
            distance=version.distance,
            difference=version.difference,
            rule=version.rule,
        )
        for version in picture.versions
    ]


def provenance_of(recorded: Provenance | None, now: Provenance | None) -> ProvenanceFields:
    """The fields about a picture's metadata.

    Args:
        recorded: from the ledger.
        now: from its file, if the ledger has none.
    """
    provenance = recorded or now
    if provenance is None:
        return ProvenanceFields("not recorded")
    words = (provenance.creator, provenance.copyright, provenance.credit, provenance.created)
    source: Literal["read when it was sent", "read for this pack"]
    source = "read when it was sent" if recorded else "read for this pack"
    return ProvenanceFields(source, *(word and replace_surrogates(word) for word in words))


def to_answer(proved: EvidenceAnswer, file: str, run_file: str | None) -> AnswerFields:
    """The fields about an answer in `file`."""
    answer = proved.answer
    return AnswerFields(
        file=file,
        scan_id=answer.scan_id,
        generation=answer.generation,
        asked_at=_time(proved.asked_at),
        received_at=rfc3339(answer.received_at),
        sent_as=PathFields(*path_fields(proved.path)) if proved.path is not None else None,
        credits=answer.credits,
        run_id=answer.run_id,
        run_file=run_file,
        sent=msgspec.convert(proved.sent, PackedSent, from_attributes=True)
        if proved.sent
        else None,
    )


def match_of(
    match: TrackedMatch,
    marked_at: float | None,
    rule: Rule | None,
    decisions: Sequence[MatchDecision] = (),
    captures: Sequence[CaptureFields] = (),
) -> PackedMatch:
    """The fields about a match, the decisions about it and the rule that allows it."""
    return PackedMatch(
        **msgspec.structs.asdict(fields_of(match)),
        marked_at=_time(marked_at),
        allowed_by=_rule(rule) if rule else None,
        decisions=decision_fields(decisions),
        captures=list(captures),
    )


def capture_fields(
    captured: CaptureFile, file: str | None, trouble: str | None, stamp_file: str | None
) -> CaptureFields:
    """The fields about a capture.

    Args:
        captured: as the ledger has it.
        file: its name in the pack; None if it is not packed.
        trouble: why.
        stamp_file: the name of the authority's answer.
    """
    stamp = captured.timestamp
    return CaptureFields(
        file=file,
        trouble=trouble,
        bytes=captured.size,
        sha256=captured.sha256,
        captured_at=rfc3339(captured.captured_at),
        who=replace_surrogates(captured.who),
        timestamp=None
        if stamp is None or stamp_file is None
        else TimestampFields(file=stamp_file, url=stamp.url, at=_time(stamp.at)),
        resources=[
            ResourceFields(
                kind=resource.kind,
                url=replace_surrogates(resource.url),
                http_status=resource.http_status,
                trouble=resource.trouble and replace_surrogates(resource.trouble),
                position=resource.position,
                sha256=resource.sha256,
                bytes=resource.size,
                media_type=resource.media_type,
                likeness=resource.likeness,
                our_likeness=resource.our_likeness,
            )
            for resource in captured.resources
        ],
    )


def _rule(rule: Rule) -> RuleFields:
    until = rule.until.isoformat() if rule.until else None
    return RuleFields(
        rule.what, replace_surrogates(rule.reason), rule.by and replace_surrogates(rule.by), until
    )


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)
