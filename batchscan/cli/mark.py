"""`batchscan mark`: what people have decided about matches."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from batchscan.cli.common import folder_options, settings_of
from batchscan.cli.pages import Option, Page
from batchscan.cli.terminal import emit
from batchscan.errors import UsageError
from batchscan.escape import printable

if TYPE_CHECKING:
    from batchscan.globs import Glob
    from batchscan.ledger import Ledger
    from batchscan.ledger.marking import Choice, Marked
    from batchscan.targets import Target

_WORDS = ("open", "reviewed", "noticed", "removed", "not-mine")
_SHORTEST_PAUSE = 0.01  # seconds between two pieces
_DOMAINS_NAMED = 3  # of those that are nearest to one without a match


@click.command(
    cls=Page,
    help="Enter what was decided about the matches on a DOMAIN (those below it too) or at a URL, "
    "in which * is anything. It stays with each match from scan to scan.",
    options_metavar="[OPTIONS]",
    sections=(
        (
            "What they become",
            (
                ("open", "nobody has decided yet: so every match begins"),
                ("reviewed", "a copy that should not be there; `batchscan takedown` writes of it"),
                ("noticed", "its site was written to"),
                ("removed", "its site took it down; open again when an answer shows it after all"),
                ("not-mine", "looks alike and is no copy: off the worklist and --fail-on"),
            ),
        ),
    ),
)
@click.argument("disposition", metavar="DISPOSITION", type=click.Choice(_WORDS))
@click.argument("targets", metavar="DOMAIN|URL...", nargs=-1, required=True)
@click.option(
    "--images",
    cls=Option,
    group="What",
    metavar="GLOB",
    help="only of pictures whose path matches, by gitignore rules; repeatable",
    multiple=True,
)
@folder_options
def command(
    *, disposition: str, targets: tuple[str, ...], images: tuple[str, ...], **parameters: object
) -> int:
    """Mark, and give the exit code."""
    from batchscan.cli.reading import opened_to_change  # noqa: PLC0415 - --help does without
    from batchscan.globs import Glob  # noqa: PLC0415
    from batchscan.targets import Target  # noqa: PLC0415

    wanted = [Target.of(text) for text in targets]
    globs = [Glob.of(text) for text in images]
    settings = settings_of(parameters, credentials=False).settings
    with opened_to_change(settings) as ledger:
        choices = [_choice(target, globs) for target in wanted]
        with ledger.transaction():
            for target, choice in zip(wanted, choices, strict=True):
                if not ledger.marking.any_of(choice):
                    raise _nothing(ledger, target, filtered=bool(globs))
        for target, choice in zip(wanted, choices, strict=True):
            emit(_said(target, _mark(ledger, choice, disposition), disposition))
    return 0


def _choice(target: Target, globs: Sequence[Glob]) -> Choice:
    from batchscan.ledger.marking import Choice  # noqa: PLC0415 - --help does without

    def pictures(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    return Choice(target.domain, target.covers, pictures if globs else None)


def _mark(ledger: Ledger, choice: Choice, word: str) -> Marked:
    """Mark piece by piece, and let a scan that wants to write do so in between."""
    from batchscan.ledger.marking import Marked  # noqa: PLC0415 - --help does without
    from batchscan.names import Disposition  # noqa: PLC0415

    marked, at = Marked(), time.time()
    while marked.reached is not None:
        began = time.monotonic()
        with ledger.transaction(writing=True):
            ledger.marking.mark(choice, Disposition(word.replace("-", "_")), at, marked)
        if marked.reached is not None:
            time.sleep(max(_SHORTEST_PAUSE, time.monotonic() - began))
    return marked


def _said(target: Target, marked: Marked, word: str) -> str:
    from batchscan.report.words import amount  # noqa: PLC0415 - --help does without

    before = ", ".join(f"{number:,} {old}" for old, number in sorted(marked.before.items()))
    matches, of = amount(marked.matches, "match"), amount(marked.pictures, "picture")
    return f"{printable(str(target))}: {matches} of {of} marked {word} (before: {before})"


def _nothing(ledger: Ledger, target: Target, *, filtered: bool) -> UsageError:
    known = ledger.marking.domains()
    near = difflib.get_close_matches(str(target), known, _DOMAINS_NAMED) or known[:_DOMAINS_NAMED]
    which = " of these pictures" if filtered else ""
    return UsageError(
        f"no match{which} is known at '{printable(str(target))}'; nothing was marked",
        advice=f"known are {printable(', '.join(near))}, for example" if near else None,
    )
