"""Selecting the reviewed matches for notices, site by site."""

from __future__ import annotations

import difflib
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.model import Provenance, TrackedMatch
from batchscan.report.wording import amount
from batchscan.report_sections import PictureMatches
from batchscan.util.escaping import printable

Covers = Callable[[str], bool]  # whether a URL is meant


@dataclass(frozen=True, slots=True)
class InfringedWork:
    """A picture of ours, and its copies on one site."""

    title: str  # the file's name without its folders, which are private
    sha256: str
    format: str
    width: int
    height: int
    provenance: Provenance
    copies: tuple[TrackedMatch, ...]
    path: bytes = field(default=b"", repr=False)  # that the settings say more about
    thumbnail: bytes | None = field(default=None, repr=False)  # a small JPEG or WebP file


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of a notice to one site."""

    domain: str
    works: tuple[InfringedWork, ...]

    @property
    def copies(self) -> int:
        """The number of matches in it."""
        return sum(len(work.copies) for work in self.works)

    @property
    def addresses(self) -> int:
        """The number of different addresses of these."""
        return len({match.url for work in self.works for match in work.copies})


@dataclass(slots=True)
class NoticeSelection:
    """The matches for the notices, and counts of all others.

    Matches that are gone count as gone, the others by their disposition.
    """

    works: dict[str, list[InfringedWork]] = field(default_factory=dict)  # by domain
    dispositions: dict[str, Counter[str]] = field(default_factory=dict)  # the same, for every match
    covered: list[Counter[str]] = field(default_factory=list)  # for each question that was asked
    taken_down: Counter[str] = field(default_factory=Counter)  # reviewed, and their site says gone

    @property
    def notices(self) -> list[Notice]:
        """One for each domain, always in the same order."""
        return [
            Notice(
                domain,
                tuple(sorted(self.works[domain], key=lambda work: (work.title, work.sha256))),
            )
            for domain in sorted(self.works)
        ]


def gather(pictures: Iterable[PictureMatches], asked: Sequence[Covers]) -> NoticeSelection:
    """Collect the reviewed matches that are not gone.

    Args:
        pictures: those that notices may be about.
        asked: what they shall be about; nothing means every site.
    """
    selection = NoticeSelection(covered=[Counter() for _ in asked])
    for picture in pictures:
        copies: dict[str, list[TrackedMatch]] = {}
        for match in picture.matches:
            recheck = match.recheck
            gone = recheck is not None and recheck.is_gone
            if _counted(selection, match, asked, gone=gone):
                copies.setdefault(match.domain, []).append(match)
        for domain, matches in copies.items():
            selection.works.setdefault(domain, []).append(_work(picture, matches))
    return selection


def _counted(
    selection: NoticeSelection, match: TrackedMatch, asked: Sequence[Covers], *, gone: bool
) -> bool:
    """Count a match; returns whether it belongs into a notice.

    Args:
        selection: brought up to date.
        match: that is counted.
        asked: what the notices shall be about.
        gone: whether its site said at the last recheck that it is gone.
    """
    decided = match.disposition
    word = str(decided) if match.is_present and not gone else "gone"
    selection.dispositions.setdefault(match.domain, Counter())[word] += 1
    meant = not asked
    for counter, covers in zip(selection.covered, asked, strict=True):
        if covers(match.url):
            counter[word] += 1
            meant = True
    if meant and gone and match.is_present and decided is Disposition.REVIEWED:
        selection.taken_down[match.domain] += 1
    return meant and word == Disposition.REVIEWED


def _work(picture: PictureMatches, copies: Iterable[TrackedMatch]) -> InfringedWork:
    path = os.fsdecode(picture.path)
    return InfringedWork(
        title=os.path.basename(path) or path,
        sha256=picture.sha256,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        provenance=picture.provenance or Provenance(),
        copies=tuple(sorted(copies, key=lambda match: match.url)),
        path=picture.path,
        thumbnail=picture.thumbnail,
    )


_LOOK = "look at them in the report, then mark the copies: batchscan mark reviewed"
_ORDER = (*Disposition, "gone")


def require_reviewed_matches(
    selection: NoticeSelection, asked: Sequence[str], images: Sequence[str]
) -> None:
    """Refuse to draft where something that was asked for has no reviewed match.

    Args:
        selection: what was gathered.
        asked: the sites that were asked for, as written, in the order of `selection.covered`.
        images: the patterns of the selected pictures, if any.

    Raises:
        UsageError: some have none; the message names the open matches, and how to mark them.
    """
    pictures = f" of pictures like {printable(' or '.join(images))}" if images else ""
    for site, counts in zip(asked, selection.covered, strict=True):
        if not counts:
            raise _unknown(
                f" on {printable(site)}{pictures}",
                site,
                [domain for domain in selection.dispositions if domain],
            )
        if not counts[Disposition.REVIEWED]:
            raise _unreviewed(f" on {printable(site)}{pictures}", counts, printable(site))
    if not asked and not selection.works:
        everything: Counter[str] = Counter()
        for counts in selection.dispositions.values():
            everything.update(counts)
        raise _unreviewed(pictures, everything, "DOMAIN")


def _unreviewed(where: str, counts: Mapping[str, int], target: str) -> UsageError:
    parts = [f"{counts[word]:,} {word}" for word in _ORDER if counts.get(word)]
    breakdown = f": {', '.join(parts)}" if parts else "; no match is known"
    advice = f"{_LOOK} {shlex.quote(target)}" if counts.get(Disposition.OPEN) else None
    return UsageError(f"no match{where} is marked reviewed{breakdown}", advice=advice)


def _unknown(where: str, site: str, domains: Sequence[str]) -> UsageError:
    near = [] if site in domains else difflib.get_close_matches(site.lower(), domains, n=1)
    sites = f"there are matches on {amount(len(domains), 'other site')}" if domains else None
    advice = f"did you mean {near[0]}?" if near else sites
    return UsageError(f"no match{where} is known", advice=advice)
