"""The JSON of a message; its names are a contract: they are only added to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal
from uuid import uuid4

import msgspec

from batchscan.enums import MatchEvent, MatchKind, MatchState
from batchscan.ledger import MatchEventRecord
from batchscan.util.escaping import escape_json, path_fields, replace_surrogates
from batchscan.util.timestamps import rfc3339

SCHEMA: Literal[1] = 1
MAX_PAGES = 100  # of one match; results.jsonl has them all

Event = Literal["new_matches", "test"]


class NewMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A match that alerts report, and the picture that it copies."""

    url: str
    kind: MatchKind
    state: MatchState
    was: MatchKind | None  # where it became a full copy
    pages: list[str]
    domain: str
    path: str
    path_b64: str | None
    sha256: str
    first_seen: str | None


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON body of a message about new matches of one run."""

    schema: Literal[1] = SCHEMA
    id: str
    run_id: str
    event: Event
    matches: list[NewMatch]
    part: int
    parts: int


class _RawBody(msgspec.Struct, frozen=True, kw_only=True):
    """The same, around matches that are JSON already."""

    schema: Literal[1] = SCHEMA
    id: str
    run_id: str
    event: Event
    matches: msgspec.Raw
    part: int
    parts: int


def match_json(news: MatchEventRecord) -> bytes:
    """A match as a message has it."""
    match = news.match
    path, path_b64 = path_fields(news.paths[0] if news.paths else b"")
    fields = NewMatch(
        url=replace_surrogates(match.url),
        kind=match.kind,
        state=match.state,
        was=MatchKind.PARTIAL if news.event is MatchEvent.FULL else None,
        pages=[replace_surrogates(page) for page in match.pages[:MAX_PAGES]],
        domain=replace_surrogates(match.domain),
        path=path,
        path_b64=path_b64,
        sha256=news.sha256,
        first_seen=rfc3339(match.first_seen),
    )
    return escape_json(msgspec.json.encode(fields))


def list_json(matches: Sequence[bytes]) -> bytes:
    """Matches as the list in a message."""
    return b"[" + b",".join(matches) + b"]"


def message_id(target: str, run_id: str, part: int, matches: bytes) -> str:
    """The id of a message, the same for the same content."""
    named = f"{target}\n{run_id}\n{part}\n".encode() + matches
    return hashlib.sha256(named).hexdigest()[:32]


def body_json(
    name: str,
    run_id: str,
    matches: bytes,
    *,
    part: int = 1,
    parts: int = 1,
    event: Event = "new_matches",
) -> bytes:
    """A message around its list of matches."""
    return msgspec.json.encode(
        _RawBody(
            id=name,
            run_id=run_id,
            event=event,
            matches=msgspec.Raw(matches),
            part=part,
            parts=parts,
        )
    )


def sample_message() -> tuple[str, bytes]:
    """Id and body of a sample message about a made-up match."""
    made_up = NewMatch(
        url="https://example.com/copy.jpg",
        kind=MatchKind.FULL,
        state=MatchState.NEW,
        was=None,
        pages=["https://example.com/"],
        domain="example.com",
        path="/example/picture.jpg",
        path_b64=None,
        sha256="0" * 64,
        first_seen=rfc3339(0.0),
    )
    name = uuid4().hex
    return name, body_json(name, "test", list_json([msgspec.json.encode(made_up)]), event="test")


def read_body(body: bytes) -> Body:
    """A message that was made here."""
    return msgspec.json.decode(body, type=Body)
