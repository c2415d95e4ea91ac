"""What `batchscan renditions` shows and keeps: who is covered by whom, and what people say of it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from itertools import groupby

import msgspec

from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.rendition_verdicts import RenditionDecision
from batchscan.ledger.renditions import CoveredFile
from batchscan.rendition_types import JOINED_RULE, RAW_RULE
from batchscan.report.wording import amount
from batchscan.util.escaping import escape_json, path_fields, printable, replace_surrogates
from batchscan.util.timestamps import rfc3339


class CoveredFileFields(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is covered, and how alike it is to the one that was asked about."""

    path: str
    path_b64: str | None
    sha256: str
    bytes: int
    width: int
    height: int
    distance: int
    difference: int
    rule: str
    covered: bool  # false: it was asked about, too


class GroupFields(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was asked about, and its versions."""

    path: str
    path_b64: str | None
    sha256: str
    width: int
    height: int
    versions: list[CoveredFileFields]


class RenditionDecisionFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of one picture, or of two."""

    word: str
    at: str
    who: str
    path: str
    sha256: str
    other_path: str | None
    other_sha256: str | None
    note: str | None


def groups(ledger: Ledger) -> Iterator[GroupFields]:
    """Every picture that covers others, with these."""
    files = ledger.renditions.covered_files()
    for (path, sha256), some in groupby(files, lambda file: file.cover.by[:2]):
        versions = list(some)
        name, name_b64 = path_fields(path)
        yield GroupFields(
            path=name,
            path_b64=name_b64,
            sha256=sha256,
            width=versions[0].asked_width,
            height=versions[0].asked_height,
            versions=[_version(file) for file in versions],
        )


def _version(file: CoveredFile) -> CoveredFileFields:
    path, path_b64 = path_fields(file.path)
    by = file.cover.by
    return CoveredFileFields(
        path=path,
        path_b64=path_b64,
        sha256=file.sha256,
        bytes=file.bytes,
        width=file.width,
        height=file.height,
        distance=by.distance,
        difference=by.difference,
        rule=by.rule,
        covered=not file.asked,
    )


def decisions(ledger: Ledger) -> Iterator[RenditionDecisionFields]:
    """What people said, the oldest first."""
    for each in ledger.renditions.decisions():
        other = None if each.other_path is None else path_fields(os.fsdecode(each.other_path))[0]
        yield RenditionDecisionFields(
            word=each.word,
            at=rfc3339(each.at),
            who=each.who,
            path=path_fields(os.fsdecode(each.path))[0],
            sha256=each.sha256,
            other_path=other,
            other_sha256=each.other_sha256,
            note=each.note,
        )


def as_json(ledger: Ledger) -> Iterator[bytes]:
    """All of it as one JSON object, piece by piece."""
    yield b'{"schema":1,"groups":['
    for number, group in enumerate(groups(ledger)):
        yield (b"," if number else b"") + escape_json(msgspec.json.encode(group))
    said = msgspec.json.encode(list(decisions(ledger)))
    yield b'],"decisions":' + escape_json(said) + b"}\n"


def as_text(ledger: Ledger) -> Iterator[str]:
    """All of it for people."""
    covered = asked = 0
    for group in groups(ledger):
        yield printable(group.path)
        yield f"{_size(group.width, group.height)}  asked"
        folder = os.path.dirname(group.path)
        room = max(len(_why(each)) for each in group.versions)
        for each in group.versions:
            covered, asked = covered + each.covered, asked + (not each.covered)
            same = os.path.dirname(each.path) == folder
            name = printable(os.path.basename(each.path) if same else each.path)
            state = "covered" if each.covered else "asked"
            yield f"{_size(each.width, each.height)}  {state:<7}  {_why(each):<{room}}  {name}"
    for said in decisions(ledger):
        yield _said(said)
    yield _sum(covered, asked)


def _sum(covered: int, asked: int) -> str:
    if not covered + asked:
        return "No versions are known. A scan finds them, except with `--renditions ask`."
    parts = [f"{covered:,} covered"] if covered else []
    parts += [f"{asked:,} asked about (`--renditions cover` would not)"] if asked else []
    return f"{amount(covered + asked, 'version')}: {', '.join(parts)}."


def _size(width: int, height: int) -> str:
    return f"{width or '?':>7} x {height or '?':<5}"  # of old ledgers it is not known of all


def _why(version: CoveredFileFields) -> str:
    if version.rule == JOINED_RULE:
        return "joined by you"
    how = f"{amount(version.distance, 'bit')}, {amount(version.difference, 'level')}"
    return f"{how}, same shot" if version.rule == RAW_RULE else how


def _said(said: RenditionDecisionFields) -> str:
    about = f"{printable(said.path)}"
    if said.other_path is not None:
        about += f" and {printable(said.other_path)}"
    who = f" by {printable(said.who)}" if said.who else ""
    note = f": {printable(said.note)}" if said.note else ""
    return f"{said.word} {about} on {said.at[:10]}{who}{note}"


def split(ledger: Ledger, path: str, who: str, note: str | None) -> str:
    """Keep that a picture is no version of any other; what was done, in words.

    Raises:
        UsageError: nothing is known of the path, and nothing is there.
    """
    sha256 = _content(ledger, path)
    parted = ledger.renditions.uncover(sha256)
    ledger.renditions.decide(
        RenditionDecision(
            "split", time.time(), who, sha256, os.fsencode(os.path.abspath(path)), note=_kept(note)
        )
    )
    again = f"; {amount(parted, 'picture')} will be asked about by the next scan" if parted else ""
    return f"{printable(path)} is now a picture of its own{again}"


def join(ledger: Ledger, one: str, other: str, who: str, note: str | None) -> str:
    """Keep that two files are one picture; what was done, in words.

    Raises:
        UsageError: nothing is known of a path, and nothing is there, or both are the same.
    """
    first, second = _content(ledger, one), _content(ledger, other)
    if first == second:
        raise UsageError("both files have the same content: they are one picture already")
    ledger.renditions.decide(
        RenditionDecision(
            "join",
            time.time(),
            who,
            first,
            os.fsencode(os.path.abspath(one)),
            second,
            os.fsencode(os.path.abspath(other)),
            _kept(note),
        )
    )
    return (
        f"{printable(one)} and {printable(other)} are now versions of one picture: a scan with "
        f"`--renditions cover` asks about one of them"
    )


def _kept(note: str | None) -> str | None:
    return replace_surrogates(note) if note else None


def _content(ledger: Ledger, path: str) -> str:
    """The content of a file: of what is there, else of what was."""
    absolute = os.path.abspath(path)
    try:
        with open(absolute, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        known = ledger.renditions.content_at(absolute)
        if known is None:
            raise UsageError(f"cannot read '{printable(path)}': {error.strerror}") from error
        return known
