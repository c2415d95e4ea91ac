"""The actions of the page's buttons, using the functions of `mark`, `allow` and `takedown`."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from batchscan.allow import add_rule
from batchscan.allow.file import put_back
from batchscan.commands import decisions
from batchscan.commands.allow import make_rule, rules_path
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.decision_types import Choice, SeenMatch
from batchscan.ledger.review import QueuedMatch
from batchscan.report.wording import amount
from batchscan.review.filters import MatchId
from batchscan.review.queue import resolve
from batchscan.settings import Settings
from batchscan.settings.load import LoadedSettings
from batchscan.state.access import open_for_change
from batchscan.url_patterns import UrlPattern
from batchscan.util.escaping import printable

T = TypeVar("T")
MAX_PICKED: Final = 500  # matches that one decision is about
MAX_REASON: Final = 500  # characters
_RULE: Final = "rule-"  # before the number of a rule that may be taken back
_DECISION: Final = re.compile("[0-9]{1,18}")  # a number that a column can hold
_MAX_RULES: Final = 100  # that may be


@dataclass(frozen=True, slots=True)
class FormMatch:
    """A match in a form, with its disposition when the page was made."""

    name: MatchId
    disposition: Disposition

    @classmethod
    def parse(cls, text: str) -> FormMatch | None:
        """Read `ID:disposition`; None for anything else."""
        name, _, word = text.partition(":")
        match_id = MatchId.parse(name)
        if match_id is None or word not in {*Disposition} or word == Disposition.ALLOWED:
            return None
        return cls(match_id, Disposition(word))


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of an action."""

    message: str
    undo: str | None = None  # takes it back
    warning: str | None = None  # what was not done, and why
    changes: tuple[tuple[str, Disposition, Disposition], ...] = ()  # site, before, after
    moved: bool = True  # whether the next match is what one wants to see now


@dataclass(frozen=True, slots=True)
class _AddedRule:
    path: Path
    before: bytes | None  # the whole file; None without one
    after: bytes


@dataclass(slots=True)
class Actions:
    """Changes the ledger and the allow rules, each in a thread with a connection of its own."""

    loaded: LoadedSettings
    _rules: dict[str, _AddedRule] = field(default_factory=dict)

    async def decide(
        self, seen: Sequence[FormMatch], word: Disposition, note: str | None
    ) -> ActionResult:
        """Decide about matches that the user has seen.

        Raises:
            UsageError: nothing is chosen, or too much.
        """
        if not seen:
            raise UsageError("no match is selected", advice="select some, or open one")
        if len(seen) > MAX_PICKED:
            raise UsageError(f"at most {MAX_PICKED:,} matches can be selected at once")
        return await self._change(lambda ledger: _decided(ledger, seen, word, note))

    async def mark_site(
        self, domain: str, word: Disposition, note: str | None, only: Disposition | None = None
    ) -> ActionResult:
        """Decide about all matches on a site without another decision, like `mark`.

        Args:
            domain: the site.
            word: the decision.
            note: a reason.
            only: leave alone what is not marked so now.

        Raises:
            UsageError: it is not a site.
        """
        target = UrlPattern.of(domain)
        if target.is_public_suffix:
            raise UsageError(f"'{printable(domain)}' is not a site but a public suffix")
        choice = Choice(target.domain, target.covers, only=only)
        settings = self.settings()
        decision = decisions.decide(word, domain, note)

        def change(ledger: Ledger) -> ActionResult:
            notice = word is Disposition.NOTICED
            meant = decisions.for_notice(choice, ledger, settings) if notice else choice
            marked = decisions.mark(ledger, meant, decision)
            message = f"{amount(marked.matches, 'match')} on {domain} marked {_word(word)}."
            left = (
                f"Other decisions are kept: {_counts(marked.needs_force)}."
                if marked.needs_force
                else None
            )
            return ActionResult(message, None if marked.batch is None else str(marked.batch), left)

        return await self._change(change)

    async def undo(self, what: str) -> ActionResult:
        """Undo an action by the `undo` value of its result.

        Raises:
            UsageError: it cannot be, or was already.
        """
        if what.startswith(_RULE):
            return await asyncio.to_thread(self._take_rule_back, what)
        if not _DECISION.fullmatch(what):
            raise UsageError("there is no decision of this window to undo")

        def change(ledger: Ledger) -> ActionResult:
            with ledger.transaction():
                batch = ledger.dispositions.effective(int(what))
            if batch is None:
                return ActionResult("", warning="That was undone already.")
            marked = decisions.undo(ledger, batch)
            warning = (
                f"Changed since, and left as they are: {_counts(marked.needs_force)}."
                if marked.needs_force
                else None
            )
            back = f": {_counts(marked.before)} again" if marked.matches else ""
            return ActionResult(
                f"Undone: {amount(marked.matches, 'match')}{back}.", warning=warning
            )

        return await self._change(change)

    async def allow(self, domain: str, reason: str) -> ActionResult:
        """Add a rule that what is on a site may stay.

        Raises:
            UsageError: no reason is given, or that is no site.
            StorageError: the file of rules cannot be written.
        """
        if len(reason) > MAX_REASON:
            raise UsageError(f"a reason has at most {MAX_REASON} characters")
        user = decisions.user_name()
        given = {"reason": reason} | ({"by": user} if user else {})
        try:
            rule = make_rule(domain, given)
        except UsageError as error:
            raise UsageError(str(error).replace("--reason: it is", "the reason is")) from None
        path = rules_path(self.loaded)

        def change() -> ActionResult:
            before = _bytes(path)
            add_rule(path, rule)
            undo = f"{_RULE}{len(self._rules) + 1}"
            if len(self._rules) < _MAX_RULES:
                self._rules[undo] = _AddedRule(path, before, _bytes(path) or b"")
            return ActionResult(f"Allowed: copies on {domain} may stay.", undo)

        return await asyncio.to_thread(change)

    def settings(self) -> Settings:
        """The settings, with the file of allow rules that may be there by now."""
        path = rules_path(self.loaded)
        if not os.path.exists(path):
            return self.loaded.settings
        scan = replace(self.loaded.settings.scan, allow=str(path))
        return replace(self.loaded.settings, scan=scan)

    def _take_rule_back(self, what: str) -> ActionResult:
        added = self._rules.pop(what, None)
        if added is None:
            return ActionResult("", warning="That was undone already.")
        if not put_back(added.path, added.after, added.before):
            where = printable(str(added.path))
            return ActionResult("", warning=f"{where} was changed since: remove the rule by hand.")
        return ActionResult("Undone: the rule is removed.")

    async def _change(self, change: Callable[[Ledger], T]) -> T:
        def run() -> T:
            with open_for_change(self.loaded.settings) as ledger:
                return change(ledger)

        return await asyncio.to_thread(run)


def _decided(
    ledger: Ledger, seen: Sequence[FormMatch], word: Disposition, note: str | None
) -> ActionResult:
    chosen: dict[QueuedMatch, FormMatch] = {}
    with ledger.transaction():
        for selected in seen:
            place = resolve(ledger, selected.name)
            match = ledger.review_queue.at(place) if place else None
            if match is not None:
                chosen.setdefault(match, selected)
    if not chosen:
        return ActionResult("", warning="This match is no longer in the ledger.", moved=False)
    first = next(iter(chosen))
    about = first.url if len(chosen) == 1 else f"{amount(len(chosen), 'match')} by review"
    seen_matches = [
        SeenMatch(match.place, selected.disposition) for match, selected in chosen.items()
    ]
    result = decisions.mark_seen(ledger, seen_matches, decisions.decide(word, about, note))
    message = ""
    if result.changed:
        message = f"{amount(len(result.changed), 'match')} marked {_word(word)}."
    elif result.noted:
        message = "The note is kept."
    elif not result.conflicts:
        message = f"It is marked {_word(word)} already."
    return ActionResult(
        message,
        None if result.batch is None else str(result.batch),
        _meanwhile(Counter(result.conflicts.values())),
        tuple(
            (match.domain, result.changed[match.place], word)
            for match in chosen
            if match.place in result.changed
        ),
        moved=bool(result.changed) or not (result.conflicts or result.noted),
    )


def _meanwhile(otherwise: Counter[Disposition]) -> str | None:
    if not otherwise:
        return None
    return (
        f"Another window has decided meanwhile: {_counts(otherwise)}. To change that, decide again."
    )


def _word(word: Disposition) -> str:
    return word.value.replace("_", " ")


def _counts(counts: Counter[Disposition]) -> str:
    return ", ".join(f"{number:,} {_word(word)}" for word, number in sorted(counts.items()))


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
