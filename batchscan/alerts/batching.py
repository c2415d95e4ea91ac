"""Making messages from events: one for each run and target, or several if it would be too large.

Programs get all matches; people (through apprise) get one digest for each run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from batchscan.alerts.digest import DigestBuilder
from batchscan.alerts.payload import body_json, list_json, match_json, message_id
from batchscan.enums import Disposition
from batchscan.ledger import Allows, Ledger, MatchEventRecord, Message, MessageDraft

MAX_MATCHES = 500  # of a message
MAX_BYTES = 900_000  # bytes of its matches: many servers take no more than a megabyte
FOR_PEOPLE = "apprise:"  # how the names of such targets begin
_STEP = 1e-6  # seconds between two messages, so that they can be sorted by time


def make_messages(
    ledger: Ledger,
    targets: Sequence[str],
    *,
    allows: Allows | None,
    first_answers: bool,
    now: float,
) -> None:
    """Make messages of all events; without targets the events are kept for a later run.

    Matches that are allowed, marked as not ours, or gone again are left out: they need no action,
    and a gone match that comes back is reported as returned.

    Args:
        ledger: the ledger, inside a transaction.
        targets: the names of all targets.
        allows: whether rules allow a match; None without rules.
        first_answers: whether to report the matches of a picture's first answer.
        now: seconds since 1970; times stay in order even if the clock was set back.
    """

    def is_due(news: MatchEventRecord) -> bool:
        if not news.there or news.match.disposition is Disposition.NOT_MINE:
            return False
        if news.first and not first_answers:
            return False
        return allows is None or not allows(news.match.url, news.sha256, news.paths)

    if not targets:
        return
    at = max(now, ledger.outbox.newest() + _STEP)
    for run_id in ledger.outbox.runs():
        digest = DigestBuilder()
        events = digest.watch(filter(is_due, ledger.outbox.events_of(run_id)))
        parts = _draft(ledger, grouped(map(match_json, events)))
        for message in _messages(ledger, targets, run_id, parts, digest):
            ledger.outbox.put(replace(message, made_at=at))
            at += _STEP
        ledger.outbox.clear_drafts()
    ledger.outbox.clear_events()


def grouped(
    matches: Iterable[bytes], most: int = MAX_MATCHES, largest: int = MAX_BYTES
) -> Iterator[list[bytes]]:
    """Split matches into messages, in order; one that is too large for any is sent alone."""
    group: list[bytes] = []
    size = 0
    for match in matches:
        if group and (len(group) == most or size + len(match) > largest):
            yield group
            group, size = [], 0
        group.append(match)
        size += len(match)
    if group:
        yield group


def _draft(ledger: Ledger, groups: Iterable[list[bytes]]) -> int:
    """Store drafts; returns their number."""
    parts = 0
    for parts, group in enumerate(groups, 1):
        ledger.outbox.draft(MessageDraft(parts, list_json(group), len(group)))
    return parts


def _messages(
    ledger: Ledger, targets: Sequence[str], run_id: str, parts: int, digest: DigestBuilder
) -> Iterator[Message]:
    """The messages about a run: the drafts for programs, a digest for people."""
    people = [target for target in targets if target.startswith(FOR_PEOPLE)]
    for draft in ledger.outbox.drafts():
        for target in targets:
            if target not in people:
                yield _message(target, run_id, draft, parts)
    if parts:
        folder = ledger.runs.folder_of(run_id)
        for target in people:
            name, body = digest.body(target, run_id, folder)
            yield Message(name, target, run_id, body, digest.kinds.total(), 0.0)


def _message(target: str, run_id: str, draft: MessageDraft, parts: int) -> Message:
    name = message_id(target, run_id, draft.part, draft.matches)
    body = body_json(name, run_id, draft.matches, part=draft.part, parts=parts)
    return Message(name, target, run_id, body, draft.number, 0.0)
