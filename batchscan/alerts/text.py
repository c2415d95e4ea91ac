"""A message as a few lines of text, for chats and mail; no URL in it is a link."""

from __future__ import annotations

import os
import re
from collections import Counter
from urllib.parse import quote

from batchscan.alerts.body import Body, NewMatch
from batchscan.names import MatchKind, MatchState
from batchscan.report.words import amount, shortened

MOST_NAMED = 10  # matches
_WIDTH = 150  # characters of a URL or name
# Chats read these: `@everyone`, `<!channel>`, `[a](b)`, `*bold*`.
_MARKUP = re.compile(r"[^\w .,()+=-]")

_NO_SCHEME = str.maketrans("tT", "xX")  # hxxps, fxp


def text_of(body: Body) -> tuple[str, str]:
    """Title and text of a message, the worst matches first."""
    if body.event == "test":
        title = "batchscan: a test"
        return title, f"This is a test of batchscan's alerts: nothing was found. Message {body.id}."
    lines = [f"{_counts(body)}."]
    lines += [_line(match) for match in body.matches[:MOST_NAMED]]
    if (rest := len(body.matches) - MOST_NAMED) > 0:
        lines.append(f"... and {rest:,} more")
    of = f", part {body.part} of {body.parts}" if body.parts > 1 else ""
    lines.append(f"Run {body.run_id}, message {body.id}{of}. All of them: batchscan report")
    return f"batchscan: {_headline(body)}", "\n".join(lines)


def _headline(body: Body) -> str:
    pictures = len({match.sha256 for match in body.matches})
    return f"{amount(len(body.matches), 'new match')} of {amount(pictures, 'picture')}"


def _counts(body: Body) -> str:
    kinds = Counter(match.kind for match in body.matches)
    said = [f"{kinds[kind]:,} {kind}" for kind in MatchKind if kinds[kind]]
    back = sum(match.state is MatchState.RETURNED for match in body.matches)
    grown = sum(match.was is not None for match in body.matches)
    said += [
        f"{number:,} {what}"
        for number, what in ((back, "came back"), (grown, "became full"))
        if number
    ]
    return f"{_headline(body)}: {', '.join(said)}"


def _line(match: NewMatch) -> str:
    name = _MARKUP.sub("_", os.path.basename(match.path))
    state = "was partial" if match.was else match.state
    return f"- {match.kind}, {state}: {neutral(match.url)} ({shortened(name, _WIDTH)})"


def neutral(url: str) -> str:
    """A URL as it is read out, `hxxps://example[.]com/a.jpg`: no client links or previews it."""
    shown = quote(url, safe="/:.?=%&;,+-", errors="replace")
    scheme, colon, rest = shown.partition("://") if "://" in shown else ("", "", shown)
    host, slash, path = rest.partition("/")
    scheme, host = scheme.translate(_NO_SCHEME), host.replace(".", "[.]")
    return shortened(f"{scheme}{colon}{host}{slash}{path}", _WIDTH)
