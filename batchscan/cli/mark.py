"""`batchscan mark`: record and undo decisions about matches."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, cast

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.enums import Disposition

_WORDS = ("open", "reviewed", "noticed", "removed", "not_mine")
_SPELLINGS = {word.replace("_", "-"): word for word in _WORDS}
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
    """Run the command; returns the exit code."""
    from batchscan.commands.mark import (  # noqa: PLC0415 - --help does without
        MarkOptions,
        mark_sites,
        parse_sites,
        undo_last,
    )

    options = MarkOptions(
        images=cast("tuple[str, ...]", parameters.pop("images")),
        note=cast("str | None", parameters.pop("note")),
        force=bool(parameters.pop("force")),
        dry_run=bool(parameters.pop("dry_run")),
        only=_word(only) if (only := cast("str | None", parameters.pop("only"))) else None,
    )
    if undo:
        if disposition or options != MarkOptions():
            raise UsageError("--undo takes no other arguments: it undoes the last decision")
        undo_last(settings_of(parameters, credentials=False).settings)
        return 0
    word, sites = _word(disposition), parse_sites(targets)
    mark_sites(settings_of(parameters, credentials=False).settings, sites, word, options)
    return 0


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
