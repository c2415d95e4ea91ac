"""`batchscan renditions list|split|join`: which files are versions of one picture."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand, HelpGroup
from batchscan.cli.options import folder_options, settings_of
from batchscan.console.terminal import print_data

if TYPE_CHECKING:
    from batchscan.settings import Settings

_NOTE = click.option(
    "--note", cls=GroupedOption, group="How", metavar="TEXT", help="why, kept with the decision"
)


@click.command(
    "list",
    cls=HelpCommand,
    short_help="show versions, how alike they are, and your decisions",
    help="Show every picture that was asked about and has other versions, with these versions and "
    "how alike they are; then what you split and joined.",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as one JSON object"
)
@folder_options
def list_(*, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands import renditions  # noqa: PLC0415 - --help does without
    from batchscan.state.access import read_ledger  # noqa: PLC0415

    with read_ledger(_settings(parameters)) as ledger:
        if as_json:
            for piece in renditions.as_json(ledger):
                print_data(piece)
        else:
            for line in renditions.as_text(ledger):
                print_data(line)
    return 0


@click.command(
    "split",
    cls=HelpCommand,
    short_help="treat PATH as a picture of its own",
    help="Treat PATH as a picture of its own: it is not a version of another picture, and no "
    "other is a version of it. The decision is about the file's content and stays until you join "
    "it again. The next scan asks about pictures that are no longer covered.",
)
@click.argument("path", type=click.UNPROCESSED)
@_NOTE
@folder_options
def split(*, path: str, note: str | None, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands import renditions  # noqa: PLC0415 - --help does without
    from batchscan.state.access import open_for_change  # noqa: PLC0415

    with open_for_change(_settings(parameters)) as ledger, ledger.transaction(writing=True):
        decision = renditions.split(ledger, path, _user(), note)
    print_data(decision)
    return 0


@click.command(
    "join",
    cls=HelpCommand,
    short_help="treat A and B as versions of one picture",
    help="Treat A and B as versions of one picture, however different they look. The decision is "
    "about the files' contents, stays until you split one of them, and overrules an earlier "
    "split.",
)
@click.argument("one", type=click.UNPROCESSED, metavar="A")
@click.argument("other", type=click.UNPROCESSED, metavar="B")
@_NOTE
@folder_options
def join(*, one: str, other: str, note: str | None, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands import renditions  # noqa: PLC0415 - --help does without
    from batchscan.state.access import open_for_change  # noqa: PLC0415

    with open_for_change(_settings(parameters)) as ledger, ledger.transaction(writing=True):
        decision = renditions.join(ledger, one, other, _user(), note)
    print_data(decision)
    return 0


def _settings(parameters: dict[str, object]) -> Settings:
    return settings_of(parameters, credentials=False).settings


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""


command = HelpGroup(
    "renditions",
    list_,
    split,
    join,
    text="Which files are versions of one picture, and your own decisions about that. "
    "`--renditions cover` asks about one version of each picture.",
)
