"""Marking the matches at sites and URLs, and undoing it, for `batchscan mark`."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from batchscan.commands.decisions import decide, for_notice, mark, undo
from batchscan.console.terminal import print_data
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.ledger import Ledger
from batchscan.ledger.decision_types import Choice, MarkResult
from batchscan.path_patterns import PathPattern
from batchscan.report.wording import amount
from batchscan.settings import Settings
from batchscan.state.access import open_for_change, read_ledger
from batchscan.url_patterns import UrlPattern
from batchscan.util.escaping import printable
from batchscan.util.timestamps import rfc3339

_DOMAINS_NAMED = 3  # of those that are nearest to one without a match


@dataclass(frozen=True, slots=True)
class MarkOptions:
    """Which matches of the sites are marked, and how."""

    images: tuple[str, ...] = ()  # gitignore patterns; () for all pictures
    note: str | None = None
    force: bool = False
    dry_run: bool = False
    only: Disposition | None = None  # only matches with this disposition


def parse_sites(texts: Sequence[str]) -> list[UrlPattern]:
    """Parse the sites and URLs to mark.

    Raises:
        UsageError: there is none, or one is a public suffix.
    """
    if not texts:
        raise UsageError(
            "a SITE or URL is missing", advice="as in `batchscan mark reviewed example.com`"
        )
    targets = [UrlPattern.of(text) for text in texts]
    for target in targets:
        if target.is_public_suffix:
            raise UsageError(
                f"'{printable(str(target))}' is not a site but a public suffix; nothing was marked",
                advice="name the site, as in example.com",
            )
    return targets


def mark_sites(
    settings: Settings, targets: Sequence[UrlPattern], word: Disposition, options: MarkOptions
) -> None:
    """Mark the matches at each target, and print how many.

    Raises:
        UsageError: one has no match, or none of them was changed; then nothing is marked.
    """
    globs = [PathPattern.of(text) for text in options.images]
    choices = [_choice(target, globs, options.only) for target in targets]
    decided = [decide(word, str(target), options.note, force=options.force) for target in targets]
    with read_ledger(settings) if options.dry_run else open_for_change(settings) as ledger:
        if word is Disposition.NOTICED and not options.force:
            choices = [for_notice(choice, ledger, settings) for choice in choices]
        with nullcontext() if options.dry_run else ledger.transaction():
            _refuse_unknown(ledger, targets, choices, filtered=bool(globs))
        results = [
            mark(ledger, choice, decision, dry_run=options.dry_run)
            for choice, decision in zip(choices, decided, strict=True)
        ]
    _refuse_unforced(results)
    for target, marked in zip(targets, results, strict=True):
        print_data(_line(target, marked, word, dry_run=options.dry_run))


def undo_last(settings: Settings) -> None:
    """Undo the last decision, and print what it was.

    Raises:
        UsageError: there is none.
    """
    with open_for_change(settings) as ledger:
        with ledger.transaction():
            batch = ledger.dispositions.last()
        if batch is None:
            raise UsageError("there is no decision to undo")
        marked = undo(ledger, batch)
    what = f"`mark {batch.disposition} {printable(batch.about)}` of {rfc3339(batch.at)}"
    back = f": {_counts(marked.before)} again" if marked.matches else ""
    print_data(f"undone: {what}: {amount(marked.matches, 'match')}{back}{_not_changed(marked)}")


def _choice(target: UrlPattern, globs: Sequence[PathPattern], only: Disposition | None) -> Choice:
    def pictures(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    return Choice(target.domain, target.covers, pictures if globs else None, only)


def _refuse_unknown(
    ledger: Ledger, targets: Sequence[UrlPattern], choices: Sequence[Choice], *, filtered: bool
) -> None:
    """Refuse everything if one target has no match.

    Raises:
        UsageError: it names the nearest sites.
    """
    for target, choice in zip(targets, choices, strict=True):
        if not ledger.dispositions.any_of(choice):
            raise _no_match(ledger, target, filtered=filtered)


def _refuse_unforced(results: Sequence[MarkResult]) -> None:
    """Refuse if nothing was marked because all of it has other decisions.

    Raises:
        UsageError: it says how.
    """
    unforced: Counter[Disposition] = sum((marked.needs_force for marked in results), Counter())
    if unforced and not any(marked.matches for marked in results):
        raise UsageError(
            f"nothing was marked: there are other decisions ({_counts(unforced)})",
            advice="--force overwrites them; --undo undoes the last decision",
        )


def _line(target: UrlPattern, marked: MarkResult, word: Disposition, *, dry_run: bool) -> str:
    name = printable(str(target))
    if not marked.matches and not marked.needs_force and not marked.excluded:
        return f"{name}: every match is marked {word} already"
    matches, of = amount(marked.matches, "match"), amount(marked.pictures, "picture")
    verb = "would be marked" if dry_run else "marked"
    before = f" (before: {_counts(marked.before)})" if marked.matches else ""
    return f"{name}: {matches} of {of} {verb} {word}{before}{_not_changed(marked)}"


def _not_changed(marked: MarkResult) -> str:
    text = ""
    if marked.needs_force:
        text += f"; other decisions are kept: {_counts(marked.needs_force)}"
    if marked.excluded:
        text += f"; left alone: {_counts(marked.excluded)}"
    return text


def _counts(counts: Mapping[Disposition, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))


def _no_match(ledger: Ledger, target: UrlPattern, *, filtered: bool) -> UsageError:
    domains = ledger.dispositions.domains()
    near = difflib.get_close_matches(target.host or str(target), domains, _DOMAINS_NAMED)
    which = " of these pictures" if filtered else ""
    advice = f"the nearest known: {printable(', '.join(near))}" if near else None
    if not near and domains:
        advice = (
            f"matches are known on {amount(len(domains), 'site')}: see `batchscan report --all`"
        )
    return UsageError(
        f"no match{which} is known at '{printable(str(target))}'; nothing was marked",
        advice=advice,
    )
