"""`batchscan recheck`: ask sites whether their copies are still there; costs no credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import (
    connect_to_option,
    folder_options,
    match_options,
    setting_option,
    settings_of,
)
from batchscan.console.terminal import print_data, print_status
from batchscan.errors import UsageError

if TYPE_CHECKING:
    from batchscan.commands.recheck import RecheckRequest
    from batchscan.enums import Disposition
    from batchscan.settings import Settings

_WORDS = ("open", "reviewed", "noticed", "removed", "not_mine")
_WHICH = "Which matches"
_HOW = "How"


@click.command(
    cls=HelpCommand,
    help="Ask the sites whether copies are still there: a GET request for each picture and page "
    "that the service named, at most one in two seconds to a site. This costs no credits, and "
    "connects to public addresses only. A scan may run at the same time. After Ctrl-C, the same "
    "command continues where it stopped.",
    options_metavar="[OPTIONS]",
    sections=(
        (
            "Verdicts, one for the picture and one for each page",
            (
                ("there", "the picture that was first fetched is still there, or the page answers"),
                ("changed", "another picture is there, or none; the page no longer names it"),
                ("gone_once", "404, 410 or no such host, once so far: recheck a day later"),
                ("gone", "the same again, at least 24 hours later; --mark marks these"),
                ("unknown", "no conclusion: forbidden, an error, too slow, robots.txt"),
            ),
        ),
        (
            "Examples",
            (
                ("batchscan recheck                              matches marked noticed", ""),
                (
                    "batchscan recheck --mark                       and mark what is gone as removed",
                    "",
                ),
                ("batchscan recheck --domain example.com --disposition reviewed", ""),
                ("batchscan recheck --url 'https://example.com/a.jpg' --json", ""),
            ),
        ),
        (
            "Exit codes",
            (
                ("0", "every verdict is known"),
                ("3", "some verdicts are unknown"),
                ("7", "another recheck is running"),
            ),
        ),
    ),
)
@click.option(
    "--disposition",
    cls=GroupedOption,
    group=_WHICH,
    metavar="WORD",
    help="only matches marked so: open, reviewed, noticed, removed or not_mine. [default: "
    "noticed; with --url any]",
)
@match_options(_WHICH)
@click.option(
    "--mark",
    is_flag=True,
    cls=GroupedOption,
    group=_HOW,
    help="mark what is gone as removed",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group=_HOW, help="one JSON object"
)
@connect_to_option(_HOW)
@setting_option(
    "scan.if_locked",
    "--if-locked",
    metavar="fail|wait|skip",
    group=_HOW,
    text="what to do when another recheck is running; a scan may run",
)
@setting_option(
    "output.progress",
    "--progress",
    metavar="auto|plain|none",
    group=_HOW,
    text="how to show progress",
)
@folder_options
def command(*, disposition: str | None, mark: bool, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.recheck import RecheckRequest  # noqa: PLC0415 - --help does without

    def words(name: str) -> tuple[str, ...]:
        return cast("tuple[str, ...]", parameters.pop(name))

    request = RecheckRequest(
        disposition=_word(disposition),
        domains=words("domains"),
        images=words("images"),
        urls=words("urls"),
        mark=mark,
        connect_to=words("connect_to"),
    )
    return _ask(settings_of(parameters, credentials=False).settings, request, as_json=as_json)


def _ask(settings: Settings, request: RecheckRequest, *, as_json: bool) -> int:
    from batchscan.commands.recheck import recheck_from_terminal  # noqa: PLC0415
    from batchscan.commands.recheck_text import as_text, in_json, notes  # noqa: PLC0415
    from batchscan.commands.scan import run  # noqa: PLC0415

    result = run(recheck_from_terminal(settings, request))
    print_data(in_json(result) if as_json else as_text(result))
    for note in notes(result, request):
        print_status(note)
    return result.exit_code


def _word(given: str | None) -> Disposition | None:
    from batchscan.enums import Disposition  # noqa: PLC0415 - --help does without

    if given is None:
        return None
    word = given.lower().replace("-", "_")
    if word not in _WORDS:
        raise UsageError(f"--disposition: there are {', '.join(_WORDS)}")
    return Disposition(word)
