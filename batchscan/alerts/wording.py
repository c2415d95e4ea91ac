"""Messages as text for mail and chats, without anything that these interpret as markup."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import yarl

from batchscan.alerts.digest import Digest, SiteTotals
from batchscan.alerts.payload import Body, NewMatch
from batchscan.enums import MatchKind, MatchState
from batchscan.report.wording import amount, shortened
from batchscan.util.escaping import printable

MAX_NAMED = 10  # matches
_WIDTH = 150  # characters of a URL or name
_MAX_LINK = 500  # characters of a URL that can be opened: a shortened one cannot
# Chats read these: `@everyone`, `<!channel>`, `[a](b)`, `*bold*`.
_MARKUP = re.compile(r"[^\w .,()+=-]")
_MARKUP_IN_PATH = re.compile(r"[^\w .,()+=/:\\-]")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_NO_SCHEME = str.maketrans("tT", "xX")  # hxxps, fxp


def text_of(message: Body | Digest, *, clickable: bool = False) -> tuple[str, str]:
    """Title and text of a message, the worst matches first.

    Args:
        message: whole, or a digest.
        clickable: whether addresses are written so that they can be opened from it.
    """
    if isinstance(message, Digest):
        return _digest_text(message, clickable=clickable)
    body = message
    if body.event == "test":
        title = "batchscan: a test"
        return title, f"This is a test message of batchscan: nothing was found. Message {body.id}."
    lines = [f"{_counts(body)}."]
    lines += [_line(match, clickable=clickable) for match in body.matches[:MAX_NAMED]]
    if (rest := len(body.matches) - MAX_NAMED) > 0:
        lines.append(f"... and {rest:,} more")
    of = f", part {body.part} of {body.parts}" if body.parts > 1 else ""
    lines.append(f"Run {body.run_id}, message {body.id}{of}. All of them: batchscan report")
    return f"batchscan: {_headline(body)}", "\n".join(lines)


def _digest_text(digest: Digest, *, clickable: bool) -> tuple[str, str]:
    sites = amount(len(digest.sites) + digest.more_sites, "site")
    news = _news(digest.matches, digest.returned, digest.grown)
    headline = f"{news} of {amount(digest.pictures, 'picture')} on {sites}"
    return f"batchscan: {headline}", "\n".join(_digest_lines(digest, headline, clickable=clickable))


def _digest_lines(digest: Digest, headline: str, *, clickable: bool) -> Iterator[str]:
    kinds = {"full": digest.full, "partial": digest.partial, "other": digest.other}
    yield f"{headline}: {_counts_text(kinds)}."
    yield "By site, the worst first:"
    yield from (_site_line(site, clickable=clickable) for site in digest.sites)
    if digest.more_sites:
        yield f"... and {amount(digest.more_sites, 'more site')}"
    yield "The worst:"
    yield from (_line(match, clickable=clickable) for match in digest.worst)
    if (rest := digest.matches - len(digest.worst)) > 0:
        yield f"... and {rest:,} more"
    if digest.report is not None:
        yield f"Report: {_MARKUP_IN_PATH.sub('_', printable(digest.report))}"
    yield f"Run {digest.run_id}, message {digest.id}. All of them: batchscan report"


def _site_line(site: SiteTotals, *, clickable: bool) -> str:
    named = clickable and _HOST.fullmatch(site.domain)
    name = site.domain if named else neutral(site.domain) or "unknown site"
    text = _counts_text({"full": site.full, "partial": site.partial, "other": site.other})
    return f"- {name}: {text}"


def _counts_text(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def _news(matches: int, returned: int, grown: int) -> str:
    """What happened: `11 new matches, 1 that came back`."""
    new = matches - returned - grown
    parts = [amount(new, "new match")] if new else []
    for number, event in ((returned, "came back"), (grown, "became full")):
        if number:
            parts.append(f"{f'{number:,}' if parts else amount(number, 'match')} that {event}")
    return ", ".join(parts) + ("," if len(parts) > 1 or not new else "")


def _headline(body: Body) -> str:
    grown = sum(match.was is not None for match in body.matches)
    returned = sum(
        match.state is MatchState.RETURNED and match.was is None for match in body.matches
    )
    pictures = len({match.sha256 for match in body.matches})
    return f"{_news(len(body.matches), returned, grown)} of {amount(pictures, 'picture')}"


def _counts(body: Body) -> str:
    kinds = Counter(match.kind for match in body.matches)
    return f"{_headline(body)}: {_counts_text({str(kind): kinds[kind] for kind in MatchKind})}"


def _line(match: NewMatch, *, clickable: bool) -> str:
    name = _MARKUP.sub("_", os.path.basename(match.path))
    state = "was partial" if match.was else match.state
    shown = (link(match.url) if clickable else None) or neutral(match.url)
    return f"- {match.kind}, {state}: {shown} ({shortened(name, _WIDTH)})"


def link(url: str) -> str | None:
    """A URL that can be opened, in characters that are markup nowhere; None without one.

    Without its fragment, which is not sent to servers.
    """
    try:
        parsed = yarl.URL(url)
        host, port = parsed.raw_host or "", parsed.explicit_port
    except (ValueError, UnicodeError):
        return None
    if parsed.scheme not in ("http", "https") or "@" in parsed.raw_authority:
        return None
    if not _HOST.fullmatch(host):
        return None
    rest = quote(parsed.raw_path_qs, safe="/:.?=%&;,+-")
    shown = f"{parsed.scheme}://{host}{'' if port is None else f':{port}'}{rest}"
    return shown if len(shown) <= _MAX_LINK else None


def neutral(url: str) -> str:
    """An unclickable URL, `hxxps://example[.]com/a.jpg`: no client links or previews it."""
    shown = quote(url, safe="/:.?=%&;,+-", errors="replace")
    scheme, colon, rest = shown.partition("://") if "://" in shown else ("", "", shown)
    host, slash, path = rest.partition("/")
    scheme, host = scheme.translate(_NO_SCHEME), host.replace(".", "[.]")
    return shortened(f"{scheme}{colon}{host}{slash}{path}", _WIDTH)
