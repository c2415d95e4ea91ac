"""Decisions about matches in files and pages."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from batchscan.enums import Disposition
from batchscan.report_sections import MatchDecision
from batchscan.util.escaping import replace_surrogates
from batchscan.util.timestamps import rfc3339


class DecisionFields(msgspec.Struct, frozen=True, kw_only=True):
    """A decision in JSON."""

    at: str
    who: str  # the user's name, "" without one
    before: Disposition
    disposition: Disposition  # what the match became
    note: str | None
    undo: bool  # it took another one back


def in_force(
    decisions: Iterable[DecisionFields], disposition: Disposition | None
) -> DecisionFields | None:
    """The decision behind a match's disposition; None if it has another cause.

    Args:
        decisions: about the match, the newest first.
        disposition: the current one, which may result from an allow rule or a return.
    """
    taken_back = 0
    for decision in decisions:
        if decision.undo:
            taken_back += 1
        elif taken_back:
            taken_back -= 1
        else:
            return decision if decision.disposition == disposition else None
    return None


def decision_fields(decisions: Iterable[MatchDecision]) -> list[DecisionFields]:
    """Decisions as JSON fields, the newest first."""
    return [
        DecisionFields(
            at=rfc3339(decision.at),
            who=replace_surrogates(decision.who),
            before=decision.before,
            disposition=decision.after,
            note=None if decision.note is None else replace_surrogates(decision.note),
            undo=decision.undoes,
        )
        for decision in decisions
    ]
