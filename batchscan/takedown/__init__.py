"""Drafts of takedown notices, one for each site; nothing is sent."""

from batchscan.takedown.drafts import Draft, write_drafts
from batchscan.takedown.select import Notice, NoticeSelection, gather, require_reviewed_matches
from batchscan.takedown.templates import NoticeTemplate, default_template
from batchscan.takedown.wording import (
    DSA_FORMS,
    FORMS,
    NoticeFormat,
    formats_of,
    missing_fields,
    published_at,
    template_context,
)

__all__ = [
    "DSA_FORMS",
    "FORMS",
    "Draft",
    "Notice",
    "NoticeFormat",
    "NoticeSelection",
    "NoticeTemplate",
    "default_template",
    "formats_of",
    "gather",
    "missing_fields",
    "published_at",
    "require_reviewed_matches",
    "template_context",
    "write_drafts",
]
