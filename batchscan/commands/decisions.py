"""Entering and undoing decisions about matches: for `mark` and for `review`."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from batchscan.allow.active import ActiveAllowRules
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.decision_types import (
    Batch,
    Choice,
    Decision,
    MarkResult,
    SeenMatch,
    SeenResult,
)
from batchscan.ledger.match_rows import MatchKey
from batchscan.settings import Settings
from batchscan.util.escaping import replace_surrogates

MAX_NOTE = 2_000  # characters
_MIN_PAUSE = 0.01  # seconds between two pieces


def decide(
    disposition: Disposition, about: str, note: str | None = None, *, force: bool = False
) -> Decision:
    """A decision of the user who runs this process, made now.

    Raises:
        UsageError: the note is too long to be kept.
    """
    if note is not None and len(note) > MAX_NOTE:
        raise UsageError(f"--note: at most {MAX_NOTE:,} characters are kept")
    cleaned_note = replace_surrogates(note) if note else None
    return Decision(
        disposition, time.time(), user_name(), replace_surrogates(about), cleaned_note, force
    )


def user_name() -> str:
    """The name of the user who runs this process; "" without one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""


def mark(
    ledger: Ledger, choice: Choice, decision: Decision, *, dry_run: bool = False
) -> MarkResult:
    """Decide about all matches of a choice; outside of any transaction, unless nothing is written.

    Raises:
        sqlite3.Error: the ledger cannot be written; what was written before stays.
    """
    marked = MarkResult()
    if dry_run:
        while marked.reached is not None:
            ledger.dispositions.mark(choice, decision, marked, dry_run=True)
        return marked
    _in_pieces(ledger, marked, lambda: ledger.dispositions.mark(choice, decision, marked))
    return marked


def for_notice(choice: Choice, ledger: Ledger, settings: Settings) -> Choice:
    """The matches of a choice that a notice can be about: present and not allowed."""

    def is_gone(place: MatchKey) -> bool:
        recheck = ledger.rechecks.latest.of_match(place)
        return recheck is not None and recheck.is_gone

    rules = ActiveAllowRules.of(settings, time.time())
    allows = rules.allows if rules.rules.rules else None
    return replace(choice, only_present=True, is_gone=is_gone, allows=allows)


def mark_seen(ledger: Ledger, seen: Sequence[SeenMatch], decision: Decision) -> SeenResult:
    """Decide about matches that the user has seen, in one short transaction."""
    with ledger.transaction(writing=True):
        return ledger.dispositions.mark_seen(seen, decision)


def undo(ledger: Ledger, batch: Batch) -> MarkResult:
    """Take decisions back, as far as no other one came since; outside of any transaction."""
    marked = MarkResult()
    decision = Decision(batch.disposition, time.time(), user_name(), batch.about)
    _in_pieces(ledger, marked, lambda: ledger.dispositions.undo(batch, decision, marked))
    return marked


def _in_pieces(ledger: Ledger, marked: MarkResult, piece: Callable[[], None]) -> None:
    """Write piece by piece, and let a scan that wants to write do so in between."""
    while marked.reached is not None:
        began = time.monotonic()
        with ledger.transaction(writing=True):
            piece()
        if marked.reached is not None:
            time.sleep(max(_MIN_PAUSE, time.monotonic() - began))
