"""Drafts of takedown notices, one a site; what is done with them is up to people."""

from batchscan.takedown.drafts import Draft, write_drafts
from batchscan.takedown.select import Gathered, Notice, gather, refuse_empty
from batchscan.takedown.templates import NoticeTemplate, original
from batchscan.takedown.wording import FORMS, Form, missing, values_of

__all__ = [
    "FORMS",
    "Draft",
    "Form",
    "Gathered",
    "Notice",
    "NoticeTemplate",
    "gather",
    "missing",
    "original",
    "refuse_empty",
    "values_of",
    "write_drafts",
]
