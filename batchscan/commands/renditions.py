"""`batchscan renditions`: which file is covered by which, and decisions about that."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

import msgspec

from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.rendition_verdicts import RenditionDecision
from batchscan.ledger.renditions import CoveredFile
from batchscan.rendition_types import JOINED_RULE, RAW_RULE
from batchscan.report.wording import amount
from batchscan.util.escaping import escape_json, path_fields, printable, replace_surrogates
from batchscan.util.paths import is_url
from batchscan.util.timestamps import rfc3339

_GONE: Final = "gone"  # the state of a version whose file is not there
_ORPHAN: Final = "orphan"  # of one that was asked about, and the picture it is a version of is gone


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
    present: bool | None  # whether the file is there now; null in a store


class GroupFields(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was asked about, and its versions."""

    path: str
    path_b64: str | None
    sha256: str
    width: int
    height: int
    present: bool | None  # whether its file is there with that content; null in a store
    now_at: str | None  # another file with the same content, where that one is not there
    versions: list[CoveredFileFields]


class RenditionDecisionFields(msgspec.Struct, frozen=True, kw_only=True):
    """A user's decision about one picture, or about two."""

    word: str
    at: str
    who: str
    path: str
    sha256: str
    other_path: str | None
    other_sha256: str | None
    note: str | None


def groups(ledger: Ledger) -> Iterator[GroupFields]:
    """Every picture that covers others, with these.

    Where the file that was asked about is not there any more, its versions are asked about in its
    place: one that has versions of its own by now is left out.
    """
    files = ledger.renditions.covered_files()
    for (path, sha256), some in groupby(files, lambda file: file.cover.by[:2]):
        versions = list(some)
        first = versions[0]
        places = ledger.renditions.files_of(first.cover.picture_id, path)
        there = next((place for place in places if _is_there(place) is not False), None)
        shown = [_version(file) for file in versions if there or not file.covers]
        if not shown:
            continue
        name, name_b64 = path_fields(path)
        yield GroupFields(
            path=name,
            path_b64=name_b64,
            sha256=sha256,
            width=first.asked_width,
            height=first.asked_height,
            present=_is_there(path) if there == path else False,
            now_at=path_fields(there)[0] if there not in (None, path) else None,
            versions=shown,
        )


def _is_there(path: str) -> bool | None:
    """Whether a file is there; None in a store, which is not asked."""
    return None if is_url(path) else os.path.lexists(path)


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
        present=_is_there(file.path),
    )


def decisions(ledger: Ledger) -> Iterator[RenditionDecisionFields]:
    """The decisions, the oldest first."""
    for decision in ledger.renditions.decisions:
        other_path = (
            None
            if decision.other_path is None
            else path_fields(os.fsdecode(decision.other_path))[0]
        )
        yield RenditionDecisionFields(
            word=decision.word,
            at=rfc3339(decision.at),
            who=decision.who,
            path=path_fields(os.fsdecode(decision.path))[0],
            sha256=decision.sha256,
            other_path=other_path,
            other_sha256=decision.other_sha256,
            note=decision.note,
        )


def as_json(ledger: Ledger) -> Iterator[bytes]:
    """All of it as one JSON object, piece by piece."""
    yield b'{"schema":1,"groups":['
    for number, group in enumerate(groups(ledger)):
        yield (b"," if number else b"") + escape_json(msgspec.json.encode(group))
    encoded = msgspec.json.encode(list(decisions(ledger)))
    yield b'],"decisions":' + escape_json(encoded) + b"}\n"


def as_text(ledger: Ledger) -> Iterator[str]:
    """All of it for people."""
    states: Counter[str] = Counter()
    for group in groups(ledger):
        yield printable(group.path)
        yield f"{_size(group.width, group.height)}  asked{_place(group)}"
        folder = os.path.dirname(group.path)
        room = max(len(_why(version)) for version in group.versions)
        for version in group.versions:
            same = os.path.dirname(version.path) == folder
            name = printable(os.path.basename(version.path) if same else version.path)
            state = _GONE if version.present is False else "covered" if version.covered else "asked"
            states[_ORPHAN if state == "asked" and _is_lost(group) else state] += 1
            dimensions = _size(version.width, version.height)
            yield f"{dimensions}  {state:<7}  {_why(version):<{room}}  {name}"
    for decision in decisions(ledger):
        yield _decision_text(decision)
    yield _sum(states)


def _place(group: GroupFields) -> str:
    if group.now_at is not None:
        return f", now at {printable(group.now_at)}"
    return ", not there any more" if _is_lost(group) else ""


def _is_lost(group: GroupFields) -> bool:
    """Whether no file with what was asked about is there."""
    return group.present is False and group.now_at is None


def _sum(states: Counter[str]) -> str:
    if not states:
        return "No versions are known. A scan finds them, except with `--renditions ask`."
    wording = {
        "covered": "covered",
        "asked": "asked about (`--renditions cover` would not)",
        _ORPHAN: "asked about, of pictures that are not there any more",
        _GONE: "not there any more",
    }
    parts = (f"{states[state]:,} {words}" for state, words in wording.items() if states[state])
    return f"{amount(states.total(), 'version')}: {', '.join(parts)}."


def _size(width: int, height: int) -> str:
    return f"{width or '?':>7} x {height or '?':<5}"  # of old ledgers it is not known of all


def _why(version: CoveredFileFields) -> str:
    if version.rule == JOINED_RULE:
        return "joined by you"
    how = f"{amount(version.distance, 'bit')}, {amount(version.difference, 'level')}"
    return f"{how}, same shot" if version.rule == RAW_RULE else how


def _decision_text(decision: RenditionDecisionFields) -> str:
    about = f"{printable(decision.path)}"
    if decision.other_path is not None:
        about += f" and {printable(decision.other_path)}"
    who = f" by {printable(decision.who)}" if decision.who else ""
    note = f": {printable(decision.note)}" if decision.note else ""
    return f"{decision.word} {about} on {decision.at[:10]}{who}{note}"


def split(ledger: Ledger, path: str, who: str, note: str | None) -> str:
    """Keep that a picture is no version of any other; what was done, in words.

    Raises:
        UsageError: nothing is known of the path, and nothing is there.
    """
    sha256 = _content(ledger, path)
    parted = ledger.renditions.uncover(sha256)
    ledger.renditions.decisions.add(
        RenditionDecision(
            "split",
            time.time(),
            who,
            sha256,
            os.fsencode(os.path.abspath(path)),
            note=_cleaned(note),
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
    ledger.renditions.decisions.add(
        RenditionDecision(
            "join",
            time.time(),
            who,
            first,
            os.fsencode(os.path.abspath(one)),
            second,
            os.fsencode(os.path.abspath(other)),
            _cleaned(note),
        )
    )
    return (
        f"{printable(one)} and {printable(other)} are now versions of one picture: a scan with "
        f"`--renditions cover` asks about one of them"
    )


def _cleaned(note: str | None) -> str | None:
    return replace_surrogates(note) if note else None


def _content(ledger: Ledger, path: str) -> str:
    """The SHA-256 of a file's content, or of its last known content if it is gone.

    Raises:
        UsageError: nothing is known of the path, and no file is there.
    """
    absolute = os.path.abspath(path)
    if os.path.exists(absolute) and not os.path.isfile(absolute):  # to read a pipe never ends
        raise UsageError(f"'{printable(path)}' is not a file")
    try:
        with open(absolute, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        content = ledger.renditions.content_at(absolute)
        if content is None:
            raise UsageError(f"cannot read '{printable(path)}': {error.strerror}") from error
        return content
