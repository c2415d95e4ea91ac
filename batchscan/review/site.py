"""Drafting a notice and packing evidence for one site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from batchscan.allow.active import ActiveAllowRules
from batchscan.commands.takedown import gather_notices, notice_templates, render_notice
from batchscan.errors import UsageError
from batchscan.evidence.manifest import PackRequest
from batchscan.evidence.pack import PackInputs, pack
from batchscan.evidence.select import select_pictures
from batchscan.settings import Settings
from batchscan.state.access import read_ledger
from batchscan.takedown import formats_of, require_reviewed_matches
from batchscan.takedown.drafts import file_name
from batchscan.url_patterns import UrlPattern

_TYPES: Final = {"md": "text/markdown", "txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download."""

    name: str
    content_type: str
    data: bytes


def notice_forms(settings: Settings) -> list[str]:
    """The available formats of a notice: `md`, `txt`, `dsa.md`..."""
    return [
        notice_format.suffix.removeprefix(".")
        for notice_format in formats_of(settings.takedown.form)
    ]


def draft_notice(settings: Settings, domain: str, form: str) -> Download:
    """Draft the notice to a site about its reviewed matches; blocking.

    Args:
        settings: who complains, and the templates.
        domain: the registrable domain.
        form: of `notice_forms`.

    Raises:
        UsageError: there is none to write, or a template cannot be filled in.
        StorageError: the ledger cannot be read.
    """
    if form not in notice_forms(settings):
        raise UsageError(f"a notice is drafted as one of {', '.join(notice_forms(settings))}")
    templates = notice_templates(settings)
    with read_ledger(settings) as ledger:
        selection = gather_notices(ledger, settings, [UrlPattern.of(domain)])
    require_reviewed_matches(selection, [domain], ())
    notice = next(notice for notice in selection.notices if notice.domain == domain)
    text = render_notice(notice, settings, templates)[f".{form}"]
    kind = _TYPES[form.rpartition(".")[2]]
    return Download(f"notice-{file_name(domain)}.{form}", kind, text)


def pack_case(settings: Settings, domain: str, path: str) -> None:
    """Pack the evidence about a site into a file; blocking.

    Raises:
        UsageError: no answer ever showed a match there.
        StorageError: the ledger cannot be read, or the disk is full.
    """
    now = time.time()
    with read_ledger(settings) as ledger:
        rules = ActiveAllowRules.of(settings, now).rules
        pictures = select_pictures(ledger, [domain], [])
        pack(ledger, pictures, PackInputs(PackRequest([domain], []), rules, now), path)
