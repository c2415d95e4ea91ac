"""`batchscan takedown`: drafts of notices, one a site, for the matches that somebody reviewed."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import Option, Page
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import emit, say
from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.util.escaping import printable, scalars

if TYPE_CHECKING:
    from batchscan.settings import Settings
    from batchscan.settings.load import Loaded
    from batchscan.takedown import Draft, Form, Gathered, Notice, NoticeTemplate
    from batchscan.url_patterns import Target

_WHICH = "Which matches"
_WRITTEN = "What is written"
_MOST_NAMED = 20  # sites


@click.command(
    cls=Page,
    help="Draft a takedown notice for each site, as Markdown and as plain text, about the matches "
    "that are marked reviewed, still there and not allowed. Nothing is sent and nothing is marked: "
    "a person has to check, sign and send what is drafted. Drafts that are there already are "
    "never changed. The settings takedown.* say who complains.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    cls=Option,
    group=_WHICH,
    metavar="DOMAIN",
    help="only those on this site or below it; repeatable. [default: every site]",
)
@click.option(
    "--images",
    cls=Option,
    group=_WHICH,
    metavar="GLOB",
    help="only of pictures whose path matches, by gitignore rules; repeatable",
    multiple=True,
)
@click.option(
    "--to",
    cls=Option,
    group=_WRITTEN,
    metavar="DIR",
    type=click.UNPROCESSED,
    help="the folder for the drafts; made for you alone",
)
@click.option(
    "--show-template",
    "template",
    type=click.Choice(["md", "txt"]),
    cls=Option,
    group=_WRITTEN,
    help="print a template, to make your own of, and write nothing",
)
@allow_option
@folder_options
def command(
    *,
    domains: tuple[str, ...],
    images: tuple[str, ...],
    to: str | None,
    template: str | None,
    **parameters: object,
) -> int:
    """Write, and give the exit code."""
    from batchscan.takedown import original, refuse_empty  # noqa: PLC0415 - --help does without
    from batchscan.url_patterns import Target  # noqa: PLC0415

    if template:
        emit(original(f".{template}").encode())
        return 0
    if not to:
        raise UsageError("no folder is named for the drafts", advice="name one with --to DIR")
    targets = [Target.of(domain) for domain in domains]
    loaded = settings_of(parameters, credentials=False)
    templates = _templates(loaded.settings)
    found = _gathered(loaded.settings, targets, images)
    refuse_empty(found, domains, images)
    for notice in found.notices:
        drafts = _draft(notice, loaded.settings, templates, to)
        emit("\n".join(printable(draft.path) for draft in drafts))
        say(_line(notice, drafts, found))
    _say_what_is_left(loaded, found, domains, images)
    return 0


def _templates(settings: Settings) -> dict[Form, NoticeTemplate]:
    from batchscan.takedown import FORMS, NoticeTemplate  # noqa: PLC0415 - as above

    own = {".md": settings.takedown.template_md, ".txt": settings.takedown.template_txt}
    return {form: NoticeTemplate(form.suffix, own[form.suffix]) for form in FORMS}


def _gathered(settings: Settings, targets: Sequence[Target], images: Sequence[str]) -> Gathered:
    from batchscan.allow.active import Allowing  # noqa: PLC0415
    from batchscan.path_patterns import Glob  # noqa: PLC0415
    from batchscan.state.access import reading  # noqa: PLC0415 - as above
    from batchscan.takedown import gather  # noqa: PLC0415

    globs = [Glob.of(text) for text in images]

    def wanted(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    with reading(settings) as ledger:
        Allowing.of(settings, time.time()).look(ledger, ())
        ledger.seen.see_all()
        pictures = ledger.found.pictures(wanted if globs else None)
        return gather(pictures, [target.covers for target in targets])


def _draft(
    notice: Notice, settings: Settings, templates: Mapping[Form, NoticeTemplate], to: str
) -> list[Draft]:
    from batchscan.takedown import values_of, write_drafts  # noqa: PLC0415 - as above

    texts = {
        form.suffix: scalars(template.render(values_of(notice, settings.takedown, form))).encode()
        for form, template in templates.items()
    }
    return write_drafts(to, notice.domain, texts)


def _line(notice: Notice, drafts: Sequence[Draft], found: Gathered) -> str:
    from batchscan.report.wording import amount  # noqa: PLC0415 - as above

    about = f"{amount(notice.copies, 'match')} of {amount(len(notice.works), 'picture')}"
    done = "drafted" if any(draft.fresh for draft in drafts) else "the draft is there already"
    left = _others(notice, found)
    more = f"; {amount(left, 'match')} there {'is' if left == 1 else 'are'} not reviewed"
    return f"{printable(notice.domain) or 'unknown site'}: {about}, {done}{more if left else ''}"


def _others(notice: Notice, found: Gathered) -> int:
    """How many matches on its site are there that it is not about."""
    counts = found.standing[notice.domain]
    return counts.total() - counts["gone"] - counts[Disposition.REVIEWED]


def _say_what_is_left(
    loaded: Loaded, found: Gathered, domains: Sequence[str], images: Sequence[str]
) -> None:
    from batchscan.takedown import missing  # noqa: PLC0415 - as above

    if blanks := missing(loaded.settings.takedown):
        where = printable(loaded.file) if loaded.file else "a settings file"
        say(f"Left blank, until you fill it in or {where} says it:")
        for name, blank in blanks.items():
            say(f"  {blank}: takedown.{name}")
    say("Nothing was sent, and nothing is marked. A person has to check, sign and send each draft.")
    say("When you have sent one, say so:")
    only = "".join(f" --images {shlex.quote(glob)}" for glob in images)
    if loaded.origins["output.state"].startswith("flag"):
        only += f" --state {shlex.quote(str(loaded.settings.output.state))}"
    notices = found.notices
    sites = domains or [notice.domain for notice in notices if notice.domain]
    for site in sites[:_MOST_NAMED]:
        say(printable(f"  batchscan mark noticed {shlex.quote(site)}{only}"))
    if len(sites) > _MOST_NAMED:
        say("  and so on for the others")
    if any(_others(notice, found) for notice in notices):
        say("That marks every match there, reviewed or not; name URLs to mark only some.")
