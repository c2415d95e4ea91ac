"""Drafting notices: for `takedown` and for `review`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from batchscan.allow.active import ActiveAllowRules
from batchscan.ledger import Everything, Ledger
from batchscan.path_patterns import PathPattern
from batchscan.settings import NoticeForm, Settings
from batchscan.takedown import (
    Notice,
    NoticeFormat,
    NoticeSelection,
    NoticeTemplate,
    formats_of,
    gather,
    template_context,
)
from batchscan.takedown.mail import as_mail
from batchscan.url_patterns import UrlPattern
from batchscan.util.escaping import replace_surrogates

_PLAIN: Final = ".txt"
_MAIL: Final = ".eml"


def notice_templates(
    settings: Settings, form: NoticeForm | None = None
) -> dict[NoticeFormat, NoticeTemplate]:
    """The user's own templates, and the built-in ones in the place of those that there are not.

    Args:
        settings: who complains, and in which form.
        form: another form than theirs.

    Raises:
        UsageError: one cannot be read.
    """
    me = settings.takedown
    own = {
        ".md": me.template_md,
        ".txt": me.template_txt,
        ".dsa.md": me.template_dsa_md,
        ".dsa.txt": me.template_dsa_txt,
    }
    formats = formats_of(form or me.form)
    return {
        notice_format: NoticeTemplate(notice_format.suffix, own[notice_format.suffix])
        for notice_format in formats
    }


def gather_notices(
    ledger: Ledger, settings: Settings, targets: Sequence[UrlPattern], images: Sequence[str] = ()
) -> NoticeSelection:
    """Gather the reviewed matches for notices.

    Args:
        ledger: within a transaction.
        settings: whose allow rules hold.
        targets: what the notices shall be about; nothing means every site.
        images: only of pictures whose paths match one of these patterns; nothing for all.

    Raises:
        UsageError: a pattern is broken, or the allow rules cannot be read.
    """
    globs = [PathPattern.of(text) for text in images]

    def wanted(paths: Sequence[bytes]) -> bool:
        return any(glob.covers(path) for glob in globs for path in paths)

    view = ActiveAllowRules.of(settings, time.time()).view(ledger, Everything(), ())
    pictures = view.pictures(wanted if globs else None)
    return gather(pictures, [target.covers for target in targets])


def render_notice(
    notice: Notice, settings: Settings, templates: Mapping[NoticeFormat, NoticeTemplate]
) -> dict[str, bytes]:
    """One notice in its formats, by the suffix of its file; a mail beside each plain text.

    Raises:
        UsageError: a template of the user's own cannot be filled in.
    """
    texts = {
        form.suffix: replace_surrogates(
            template.render(template_context(notice, settings.takedown, form))
        ).encode()
        for form, template in templates.items()
    }
    for suffix in [suffix for suffix in texts if suffix.endswith(_PLAIN)]:
        mail = as_mail(texts[suffix], notice)
        if mail is not None:
            texts[suffix.removesuffix(_PLAIN) + _MAIL] = mail
    return texts
