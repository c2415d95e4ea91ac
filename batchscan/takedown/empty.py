"""What is said when there is nothing to draft: how many matches wait, and for what."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from batchscan.errors import UsageError
from batchscan.escape import printable
from batchscan.names import Disposition
from batchscan.report.words import amount
from batchscan.takedown.gather import Gathered

_LOOK = "look at them in the report, then mark those that are copies: batchscan mark reviewed"
_ORDER = (*Disposition, "gone")


def refuse_empty(found: Gathered, asked: Sequence[str], images: Sequence[str]) -> None:
    """Refuse to draft where something that was asked for has no reviewed match.

    Args:
        found: what was gathered.
        asked: the sites that were asked for, as written, in the order of `found.covered`.
        images: the patterns of the pictures that were looked at, where there were any.

    Raises:
        UsageError: it says how many matches are open, and how to mark them.
    """
    pictures = f" of pictures like {printable(' or '.join(images))}" if images else ""
    for site, counts in zip(asked, found.covered, strict=True):
        if not counts:
            raise _unknown(
                f" on {printable(site)}{pictures}",
                site,
                [domain for domain in found.standing if domain],
            )
        if not counts[Disposition.REVIEWED]:
            raise _unreviewed(f" on {printable(site)}{pictures}", counts, printable(site))
    if not asked and not found.works:
        everything: Counter[str] = Counter()
        for counts in found.standing.values():
            everything.update(counts)
        raise _unreviewed(pictures, everything, "DOMAIN")


def _unreviewed(where: str, counts: Mapping[str, int], target: str) -> UsageError:
    said = [f"{counts[word]:,} {word}" for word in _ORDER if counts.get(word)]
    known = f": {', '.join(said)}" if said else "; no match is known"
    advice = f"{_LOOK} {shlex.quote(target)}" if counts.get(Disposition.OPEN) else None
    return UsageError(f"no match{where} is marked reviewed{known}", advice=advice)


def _unknown(where: str, site: str, known: Sequence[str]) -> UsageError:
    near = [] if site in known else difflib.get_close_matches(site.lower(), known, n=1)
    sites = f"there are matches on {amount(len(known), 'other site')}" if known else None
    advice = f"did you mean {near[0]}?" if near else sites
    return UsageError(f"no match{where} is known", advice=advice)
