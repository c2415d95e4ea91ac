"""`batchscan evidence capture`: keep the content of matches' addresses as it was transferred."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import connect_to_option, folder_options, match_options, settings_of
from batchscan.console.terminal import print_data, print_status
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.commands.capture import CaptureOptions
    from batchscan.ledger.match_choice import MatchChoice

_WHICH = "Which matches"
_HOW = "How"
_WORDS = [word.value for word in Disposition if word is not Disposition.ALLOWED]
_USUAL = (Disposition.REVIEWED, Disposition.NOTICED)
_INCOMPLETE = 3
_SIGNAL = 128


@click.command(
    "capture",
    cls=HelpCommand,
    short_help="keep copies of matches and their pages as they are now",
    help="Fetch the picture and the pages of matches from their sites, at no cost, and keep them "
    "exactly as they were transferred: one WARC file for each match, in the state folder. "
    "Evidence packs include these files. Connects to public addresses only, at most once in two "
    "seconds to a host, and obeys robots.txt. A scan may run at the same time.",
    sections=(
        (
            "Exit codes",
            (
                ("0", "every site answered, and the answers are kept"),
                ("2", "usage: no match was selected"),
                ("3", "a site gave no usable answer, or a timestamp is missing"),
            ),
        ),
    ),
)
@click.option(
    "--disposition",
    "dispositions",
    multiple=True,
    cls=GroupedOption,
    group=_WHICH,
    metavar="WORD",
    help="only matches marked so: open, reviewed, noticed, removed or not_mine; repeatable. "
    "[default: reviewed and noticed; with another option of this group, all]",
)
@match_options(_WHICH)
@click.option(
    "--timestamp",
    "authority",
    cls=GroupedOption,
    group=_HOW,
    metavar="URL",
    help="have this timestamp authority (RFC 3161) date each file, such as "
    "http://timestamp.digicert.com; it gets a hash only",
)
@click.option(
    "--screenshot",
    is_flag=True,
    cls=GroupedOption,
    group=_HOW,
    help="also take a screenshot of the first page with your own Chromium or Chrome; it can reach "
    "public addresses only",
)
@connect_to_option(_HOW)
@click.option("--json", "as_json", is_flag=True, cls=GroupedOption, group=_HOW, help="as JSON")
@folder_options
def capture(*, as_json: bool, authority: str | None, screenshot: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.capture import capture_until_stopped  # noqa: PLC0415 - --help does without
    from batchscan.commands.capture_text import CaptureOutput  # noqa: PLC0415
    from batchscan.commands.scan import run  # noqa: PLC0415
    from batchscan.report.wording import amount, was_or_were  # noqa: PLC0415 - as above

    choice = _choice(
        *(_words(parameters.pop(name)) for name in ("dispositions", "domains", "images", "urls"))
    )
    rules = _words(parameters.pop("connect_to"))
    options = _options(rules, authority, screenshot=screenshot)
    settings = settings_of(parameters, credentials=False).settings
    output = CaptureOutput(as_json=as_json, wants_screenshot=screenshot)
    number, interrupted = run(capture_until_stopped(settings, choice, options, output))
    if not number:
        raise UsageError(
            "no match was selected: nothing was captured",
            advice="select with --disposition, --domain, --images or --url; `batchscan report "
            "--all` lists all matches",
        )
    print_data(output.json() if as_json else output.summary())
    if interrupted is not None:
        left = number - output.counts["captured"]
        kept_out = f"{left:,} of {amount(number, 'match')} {was_or_were(left)} not captured"
        print_status(f"batchscan: interrupted; {kept_out}")
        return _SIGNAL + interrupted
    return _INCOMPLETE if output.failed else 0


def _words(given: object) -> tuple[str, ...]:
    return given if isinstance(given, tuple) else ()


def _choice(
    dispositions: Sequence[str], domains: Sequence[str], images: Sequence[str], urls: Sequence[str]
) -> MatchChoice:
    """Parse the options that choose matches.

    Raises:
        UsageError: a word, site, pattern or address is invalid.
    """
    from batchscan.ledger.match_choice import MatchChoice  # noqa: PLC0415 - --help does without
    from batchscan.path_patterns import PathPattern  # noqa: PLC0415
    from batchscan.url_patterns import UrlPattern  # noqa: PLC0415 - as above

    globs = [PathPattern.of(text) for text in images]

    def pictures(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    chosen = [word.replace("-", "_").lower() for word in dispositions]
    for word in chosen:
        if word not in _WORDS:
            raise UsageError(
                f"--disposition: '{printable(word)}': the words are {', '.join(_WORDS)}"
            )
    usual = () if domains or images or urls else _USUAL
    return MatchChoice(
        dispositions=[Disposition(word) for word in chosen] or usual,
        covers=[UrlPattern.of(text).covers for text in (*domains, *urls)],
        pictures=pictures if globs else None,
        only_present=not urls,
    )


def _options(
    connect_to: Sequence[str], authority: str | None, *, screenshot: bool
) -> CaptureOptions:
    from batchscan.capture.browser import Chromium  # noqa: PLC0415 - as above
    from batchscan.capture.trusted_timestamps import TimestampAuthority  # noqa: PLC0415 - as above
    from batchscan.commands.capture import CaptureOptions  # noqa: PLC0415
    from batchscan.web_client import ConnectTo  # noqa: PLC0415 - as above

    rules = ConnectTo.of(connect_to)
    return CaptureOptions(
        connect_to=rules,
        authority=TimestampAuthority(authority, rules) if authority else None,
        browser=Chromium.find(rules, os.environ) if screenshot else None,
    )
