"""The totals of a pack's page, and the list of its pictures at the top of it."""

from __future__ import annotations

from collections import Counter
from typing import IO

from markupsafe import Markup

from batchscan.evidence.records import PictureFields
from batchscan.report.html_escaping import visible
from batchscan.report.wording import amount

_LINE = Markup('<li><a href="#p{}">{}</a>, {}</li>\n')


class CaseContents:
    """Counts matches and sites, and lists the pictures that are shown."""

    def __init__(self, lines: IO[bytes]) -> None:
        """Write the list to an open temporary file, as there may be very many pictures."""
        self.lines = lines
        self.shown = 0  # pictures
        self.sites: Counter[str] = Counter()  # their matches, of all pictures

    def count(self, picture: PictureFields) -> None:
        """Count the matches of a picture, whether it is shown or not."""
        self.sites.update(match.domain for match in picture.matches)

    def add(self, picture: PictureFields, name: str) -> None:
        """List a picture that is shown."""
        self.shown += 1
        matches = amount(len(picture.matches), "match")
        self.lines.write(_LINE.format(picture.sha256, visible(name), matches).encode())
