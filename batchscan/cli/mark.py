"""`batchscan mark`: what people have decided about matches."""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import print_data
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.enums import Disposition
    from batchscan.ledger import Ledger
    from batchscan.ledger.dispositions import Choice, Decision, MarkResult, MatchKey
    from batchscan.path_patterns import PathPattern
    from batchscan.settings import Settings
    from batchscan.url_patterns import UrlPattern

_WORDS = ("open", "reviewed", "noticed", "removed", "not_mine")
_SPELLINGS = {word.replace("_", "-"): word for word in _WORDS}
_DOMAINS_NAMED = 3  # of those that are nearest to one without a match
_HOW = "How"


@click.command(
    cls=HelpCommand,
    help="Record a decision about the matches on a SITE and everything below it, or at a URL (* "
    "matches anything). Later scans keep it.",
    options_metavar="[OPTIONS]",
    sections=(
        (
            "Words",
            (
                ("open", "not decided yet, as every new match"),
                (
                    "reviewed",
                    "a copy that should not be there; `batchscan takedown` drafts a notice",
                ),
                (
                    "noticed",
                    "a notice was sent to its site; not for matches that are gone or allowed",
                ),
                ("removed", "its site took it down; becomes open again if a later scan finds it"),
                ("not_mine", "not a copy; no longer on the worklist, nor counted by --fail-on"),
            ),
        ),
    ),
)
@click.argument("disposition", metavar="WORD", required=False)
@click.argument("targets", metavar="SITE|URL...", nargs=-1)
@click.option(
    "--images",
    cls=GroupedOption,
    group="What",
    metavar="GLOB",
    help="only matches of pictures whose path matches this gitignore pattern; repeatable",
    multiple=True,
)
@click.option(
    "--disposition",
    "only",
    cls=GroupedOption,
    group="What",
    metavar="WORD",
    help="only matches that are marked WORD now, such as reviewed",
)
@click.option(
    "--note", cls=GroupedOption, group=_HOW, metavar="TEXT", help="a reason, kept with the decision"
)
@click.option(
    "--force",
    is_flag=True,
    cls=GroupedOption,
    group=_HOW,
    help="overwrite other decisions; not needed for the steps from open to reviewed, noticed and "
    "removed",
)
@click.option(
    "-n", "--dry-run", is_flag=True, cls=GroupedOption, group=_HOW, help="show what would be marked"
)
@click.option(
    "--undo",
    is_flag=True,
    cls=GroupedOption,
    group=_HOW,
    help="undo the last decision; repeat for the one before",
)
@allow_option
@folder_options
def command(
    *, disposition: str | None, targets: tuple[str, ...], undo: bool, **parameters: object
) -> int:
    """Mark, and return the exit code."""
    how = _How(
        images=cast("tuple[str, ...]", parameters.pop("images")),
        note=cast("str | None", parameters.pop("note")),
        force=bool(parameters.pop("force")),
        dry_run=bool(parameters.pop("dry_run")),
        only=_word(only) if (only := cast("str | None", parameters.pop("only"))) else None,
    )
    if undo:
        if disposition or how != _How():
            raise UsageError("--undo takes no other arguments: it undoes the last decision")
        return _undo(settings_of(parameters, credentials=False).settings)
    word, wanted = _word(disposition), _sites(targets)
    return _mark_all(settings_of(parameters, credentials=False).settings, wanted, word, how)


@dataclass(frozen=True, slots=True)
class _How:
    """What the options say."""

    images: tuple[str, ...] = ()
    note: str | None = None
    force: bool = False
    dry_run: bool = False
    only: Disposition | None = None


def _word(given: str | None) -> Disposition:
    from batchscan.enums import Disposition  # noqa: PLC0415 - --help does without

    if given is None:
        raise UsageError(
            f"a WORD is missing: {', '.join(_WORDS)}",
            advice="as in `batchscan mark reviewed example.com`",
        )
    word = _SPELLINGS.get(given.lower().replace("_", "-"))
    if word is None:
        near = difflib.get_close_matches(given.lower(), _WORDS, 1)
        raise UsageError(
            f"'{printable(given)}' is not a decision; the words are {', '.join(_WORDS)}",
            advice=f"did you mean {near[0]}?" if near else "see `batchscan mark --help`",
        )
    return Disposition(word)


def _sites(texts: Sequence[str]) -> list[UrlPattern]:
    """Understand what is to be marked.

    Raises:
        UsageError: nothing is, or all sites of the world.
    """
    from batchscan.url_patterns import UrlPattern  # noqa: PLC0415 - --help does without

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


def _decision(word: Disposition, target: UrlPattern, how: _How) -> Decision:
    from batchscan.commands.mark import decide  # noqa: PLC0415 - --help does without

    return decide(word, str(target), how.note, force=how.force)


def _mark_all(
    settings: Settings, targets: Sequence[UrlPattern], word: Disposition, how: _How
) -> int:
    from batchscan.commands.mark import mark  # noqa: PLC0415
    from batchscan.path_patterns import PathPattern  # noqa: PLC0415
    from batchscan.state.access import open_for_change, read_ledger  # noqa: PLC0415 - as above

    globs = [PathPattern.of(text) for text in how.images]
    choices = [_choice(target, globs, how.only) for target in targets]
    decisions = [_decision(word, target, how) for target in targets]
    with read_ledger(settings) if how.dry_run else open_for_change(settings) as ledger:
        if word == "noticed" and not how.force:
            choices = [_for_notice(choice, ledger, settings) for choice in choices]
        with nullcontext() if how.dry_run else ledger.transaction():
            _refuse_unknown(ledger, targets, choices, filtered=bool(globs))
        results = [
            mark(ledger, choice, decision, dry_run=how.dry_run)
            for choice, decision in zip(choices, decisions, strict=True)
        ]
    _refuse_kept(results)
    for target, marked in zip(targets, results, strict=True):
        print_data(_line(target, marked, word, dry_run=how.dry_run))
    return 0


def _choice(target: UrlPattern, globs: Sequence[PathPattern], only: Disposition | None) -> Choice:
    from batchscan.ledger.dispositions import Choice  # noqa: PLC0415 - --help does without

    def pictures(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    return Choice(target.domain, target.covers, pictures if globs else None, only)


def _for_notice(choice: Choice, ledger: Ledger, settings: Settings) -> Choice:
    """The part of a choice that a notice can be about: what is there and not allowed."""
    from batchscan.allow.active import ActiveAllowRules  # noqa: PLC0415 - as above

    def is_gone(place: MatchKey) -> bool:
        recheck = ledger.rechecks.latest.of_match(place)
        return recheck is not None and recheck.is_gone

    rules = ActiveAllowRules.of(settings, time.time())
    allows = rules.allows if rules.rules.rules else None
    return replace(choice, only_present=True, is_gone=is_gone, allows=allows)


def _refuse_unknown(
    ledger: Ledger, targets: Sequence[UrlPattern], choices: Sequence[Choice], *, filtered: bool
) -> None:
    """Refuse everything where one target speaks of no match.

    Raises:
        UsageError: it names the nearest sites.
    """
    for target, choice in zip(targets, choices, strict=True):
        if not ledger.dispositions.any_of(choice):
            raise _nothing(ledger, target, filtered=filtered)


def _refuse_kept(results: Sequence[MarkResult]) -> None:
    """Refuse where nothing was marked because all of it had been decided otherwise.

    Raises:
        UsageError: it says how.
    """
    kept: Counter[Disposition] = sum((marked.kept for marked in results), Counter())
    if kept and not any(marked.matches for marked in results):
        raise UsageError(
            f"nothing was marked: there are other decisions ({_counts(kept)})",
            advice="--force overwrites them; --undo undoes the last decision",
        )


def _undo(settings: Settings) -> int:
    from batchscan.commands.mark import undo  # noqa: PLC0415
    from batchscan.report.wording import amount  # noqa: PLC0415
    from batchscan.state.access import open_for_change  # noqa: PLC0415 - --help does without
    from batchscan.util.timestamps import rfc3339  # noqa: PLC0415

    with open_for_change(settings) as ledger:
        with ledger.transaction():
            batch = ledger.dispositions.last()
        if batch is None:
            raise UsageError("there is no decision to undo")
        marked = undo(ledger, batch)
    what = f"`mark {batch.disposition} {printable(batch.about)}` of {rfc3339(batch.at)}"
    back = f": {_counts(marked.before)} again" if marked.matches else ""
    print_data(f"undone: {what}: {amount(marked.matches, 'match')}{back}{_left(marked)}")
    return 0


def _line(target: UrlPattern, marked: MarkResult, word: Disposition, *, dry_run: bool) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - --help does without

    name = printable(str(target))
    if not marked.matches and not marked.kept and not marked.left_alone:
        return f"{name}: every match is marked {word} already"
    matches, of = amount(marked.matches, "match"), amount(marked.pictures, "picture")
    verb = "would be marked" if dry_run else "marked"
    before = f" (before: {_counts(marked.before)})" if marked.matches else ""
    return f"{name}: {matches} of {of} {verb} {word}{before}{_left(marked)}"


def _left(marked: MarkResult) -> str:
    kept = f"; other decisions are kept: {_counts(marked.kept)}" if marked.kept else ""
    return f"{kept}; left alone: {_counts(marked.left_alone)}" if marked.left_alone else kept


def _counts(counts: Mapping[Disposition, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))


def _nothing(ledger: Ledger, target: UrlPattern, *, filtered: bool) -> UsageError:
    from batchscan.report.wording import amount  # noqa: PLC0415 - --help does without

    known = ledger.dispositions.domains()
    near = difflib.get_close_matches(target.host or str(target), known, _DOMAINS_NAMED)
    which = " of these pictures" if filtered else ""
    advice = f"the nearest known: {printable(', '.join(near))}" if near else None
    if not near and known:
        advice = f"matches are known on {amount(len(known), 'site')}: see `batchscan report --all`"
    return UsageError(
        f"no match{which} is known at '{printable(str(target))}'; nothing was marked",
        advice=advice,
    )
