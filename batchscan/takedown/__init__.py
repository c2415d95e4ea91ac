"""Drafts of takedown notices, one a site; what is done with them is up to people."""

from batchscan.takedown.drafts import Draft, write_drafts
from batchscan.takedown.select import Notice, NoticeSelection, gather, require_reviewed_matches
from batchscan.takedown.templates import NoticeTemplate, default_template
from batchscan.takedown.wording import FORMS, NoticeFormat, missing_fields, template_context

__all__ = [
    "FORMS",
    "Draft",
    "Notice",
    "NoticeFormat",
    "NoticeSelection",
    "NoticeTemplate",
    "default_template",
    "gather",
    "missing_fields",
    "require_reviewed_matches",
    "template_context",
    "write_drafts",
]
