"""`batchscan takedown`: write drafts of notices about reviewed matches, one for each site."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import fitted, print_data, print_status
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

if TYPE_CHECKING:
    from batchscan.settings import NoticeForm, Settings
    from batchscan.settings.load import LoadedSettings
    from batchscan.takedown import Draft, Notice, NoticeFormat, NoticeSelection, NoticeTemplate
    from batchscan.url_patterns import UrlPattern

_WHICH = "Which matches"
_WRITTEN = "What is written"
_MAX_NAMED = 20  # sites


@click.command(
    cls=HelpCommand,
    help="Draft a takedown notice for each site that has matches which are marked reviewed, still "
    "there and not allowed: as Markdown, as plain text, and as a mail with small pictures of the "
    "works. Nothing is sent or marked: a person has to check, sign and send each draft. Existing "
    "drafts are never changed. The settings takedown.* name the sender.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    cls=GroupedOption,
    group=_WHICH,
    metavar="DOMAIN",
    help="only matches on this site or below it; repeatable  [default: every site]",
)
@click.option(
    "--images",
    cls=GroupedOption,
    group=_WHICH,
    metavar="GLOB",
    help="only matches of pictures whose path matches this gitignore pattern; repeatable",
    multiple=True,
)
@click.option(
    "--to",
    cls=GroupedOption,
    group=_WRITTEN,
    metavar="DIR",
    type=click.UNPROCESSED,
    help="folder for the drafts; only you can read it",
)
@click.option(
    "--form",
    type=click.Choice(["dmca", "dsa", "both"]),
    cls=GroupedOption,
    group=_WRITTEN,
    help="for which law: 17 U.S.C. 512(c)(3), article 16 of the EU's Digital Services Act, or a "
    "draft for each. [default: the setting takedown.form, dmca]",
)
@click.option(
    "--show-template",
    "template",
    type=click.Choice(["md", "txt", "dsa.md", "dsa.txt"]),
    cls=GroupedOption,
    group=_WRITTEN,
    help="print a template to start your own from, and write nothing",
)
@allow_option
@folder_options
def command(
    *,
    domains: tuple[str, ...],
    images: tuple[str, ...],
    to: str | None,
    form: NoticeForm | None,
    template: str | None,
    **parameters: object,
) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.takedown import notice_templates  # noqa: PLC0415
    from batchscan.takedown import default_template, require_reviewed_matches  # noqa: PLC0415 - --help does without
    from batchscan.url_patterns import UrlPattern  # noqa: PLC0415

    if template:
        print_data(default_template(f".{template}").encode())
        return 0
    if not to:
        raise UsageError("the folder for the drafts is missing", advice="name one with --to DIR")
    targets = [UrlPattern.of(domain) for domain in domains]
    loaded = settings_of(parameters, credentials=False)
    templates = notice_templates(loaded.settings, form)
    selection = _gathered(loaded.settings, targets, images)
    require_reviewed_matches(selection, domains, images)
    for notice in selection.notices:
        drafts = _draft(notice, loaded.settings, templates, to)
        print_data("\n".join(printable(draft.path) for draft in drafts))
        _print_prose(_line(notice, drafts, selection))
    for site, number in sorted(selection.taken_down.items()):
        _print_prose(_taken_down(site, number))
    _print_next_steps(loaded, selection, domains, images)
    return 0


def _print_prose(line: str) -> None:
    print_status(fitted(line, sys.stderr))


def _taken_down(site: str, number: int) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    return (
        f"{printable(site) or 'unknown site'}: {amount(number, 'reviewed match')} left out, as "
        "the last recheck found it gone; `batchscan recheck --disposition reviewed --mark` marks "
        "it removed"
    )


def _gathered(
    settings: Settings, targets: Sequence[UrlPattern], images: Sequence[str]
) -> NoticeSelection:
    from batchscan.commands.takedown import gather_notices  # noqa: PLC0415
    from batchscan.state.access import read_ledger  # noqa: PLC0415 - as above

    with read_ledger(settings) as ledger:
        return gather_notices(ledger, settings, targets, images)


def _draft(
    notice: Notice, settings: Settings, templates: Mapping[NoticeFormat, NoticeTemplate], to: str
) -> list[Draft]:
    from batchscan.commands.takedown import render_notice  # noqa: PLC0415
    from batchscan.takedown import write_drafts  # noqa: PLC0415 - as above

    texts = render_notice(notice, settings, templates)
    return write_drafts(to, notice.domain, texts)


def _line(notice: Notice, drafts: Sequence[Draft], selection: NoticeSelection) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    about = f"{amount(notice.copies, 'match')} of {amount(len(notice.works), 'picture')}"
    done = "drafted" if any(draft.fresh for draft in drafts) else "the draft exists already"
    left = _others(notice, selection)
    more = f"; {amount(left, 'match')} there {'is' if left == 1 else 'are'} not reviewed"
    return f"{printable(notice.domain) or 'unknown site'}: {about}, {done}{more if left else ''}"


def _others(notice: Notice, selection: NoticeSelection) -> int:
    """How many other matches its site has."""
    counts = selection.dispositions[notice.domain]
    return counts.total() - counts["gone"] - counts[Disposition.REVIEWED]


def _print_next_steps(
    loaded: LoadedSettings,
    selection: NoticeSelection,
    domains: Sequence[str],
    images: Sequence[str],
) -> None:
    from batchscan.report.wording import amount  # noqa: PLC0415
    from batchscan.takedown import missing_fields, published_at  # noqa: PLC0415 - as above

    if blanks := missing_fields(loaded.settings.takedown):
        where = printable(loaded.file) if loaded.file else "a settings file"
        _print_prose(f"Blanks in the drafts; fill them in, or set them in {where}:")
        for name, blank in blanks.items():
            print_status(f"  {blank}: takedown.{name}")
    me = loaded.settings.takedown
    works = [work for notice in selection.notices for work in notice.works]
    unpublished = {work.sha256 for work in works if published_at(work, me) is None}
    if unpublished:
        _print_prose(
            f"The notices do not say where the originals of {amount(len(unpublished), 'picture')} "
            f"are published (setting takedown.published)."
        )
    _print_prose("Nothing was sent or marked. A person has to check, sign and send each draft.")
    print_status("After you have sent one, record it:")
    sites = domains or [notice.domain for notice in selection.notices if notice.domain]
    for site in sites[:_MAX_NAMED]:
        print_status(printable(f"  {_mark_command(loaded, site, images)}"))
    if len(sites) > _MAX_NAMED:
        print_status("  and the same for the other sites")
    print_status("This marks the matches that the drafts are about, and no others.")


def _mark_command(loaded: LoadedSettings, site: str, images: Sequence[str]) -> str:
    """The command that marks exactly the matches of a site's draft, also after another scan."""
    words = ["batchscan", "mark", "noticed", site, "--disposition", "reviewed"]
    words += [word for glob in images for word in ("--images", glob)]
    settings = loaded.settings
    given = {
        "--allow": ("scan.allow", settings.scan.allow),
        "--state": ("output.state", settings.output.state),
    }
    for flag, (key, value) in given.items():
        if loaded.origins[key].startswith("flag"):
            words += [flag, str(value)]
    return shlex.join(words)
