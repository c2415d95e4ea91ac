"""Parsing and formatting rules: the values of each key of `allow.yaml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from batchscan.allow.rules import Rule
from batchscan.errors import UsageError
from batchscan.path_patterns import PathPattern
from batchscan.url_patterns import UrlPattern
from batchscan.util.escaping import printable

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONDITIONS = ("domain", "url", "images", "sha256")


def _domain(text: str) -> UrlPattern:
    target = UrlPattern.of(text)
    if not target.is_domain:
        raise UsageError(
            f"'{printable(text)}' is a URL, not a domain", advice="write it after `url:`"
        )
    return target


def _url(text: str) -> UrlPattern:
    target = UrlPattern.of(text)
    if target.is_domain:
        raise UsageError(
            f"'{printable(text)}' is a domain, not a URL", advice="write it after `domain:`"
        )
    return target


def _sha256(text: str) -> str:
    digits = text.strip().lower()
    if not _SHA256.fullmatch(digits):
        raise UsageError(f"found '{printable(text)}'; allowed: 64 hexadecimal digits")
    return digits


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise UsageError("it is empty")
    return words


def _day(text: str) -> date:
    if not _DATE.fullmatch(text.strip()):
        raise UsageError(f"found '{printable(text)}'; allowed: a day, such as 2027-03-01")
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"no such day: '{printable(text)}'") from None


# In the order in which `allow add` writes them. What text may follow each key:
PARSERS: Mapping[str, Callable[[str], Any]] = {
    "domain": _domain,
    "url": _url,
    "images": PathPattern.of,
    "sha256": _sha256,
    "reason": _words,
    "by": _words,
    "until": _day,
}


def parse_rule(values: Mapping[str, Any], line: int = 0) -> Rule:
    """Make a rule of parsed values.

    Raises:
        UsageError: a key is missing or not allowed.
    """
    if "domain" in values and "url" in values:
        raise UsageError("only one of domain and url may be given")
    if not any(key in values for key in _CONDITIONS):
        raise UsageError(
            "the rule does not say what is allowed",
            advice=f"give at least one of {', '.join(_CONDITIONS)}",
        )
    if "reason" not in values:
        raise UsageError("a reason is missing", advice="write why in `reason:`")
    own = {key: value for key, value in values.items() if key not in ("domain", "url")}
    return Rule(target=values.get("domain", values.get("url")), line=line, **own)


def format_rule(rule: Rule) -> list[str]:
    """A rule as lines of YAML, `key: value`, valid for any values."""
    key = "domain" if rule.target and rule.target.is_domain else "url"
    texts = {
        key: str(rule.target) if rule.target else None,
        "images": str(rule.images) if rule.images else None,
        "sha256": rule.sha256,
        "reason": rule.reason,
        "by": rule.by,
    }
    lines = [f"{key}: {_quoted(text)}" for key, text in texts.items() if text is not None]
    return lines if rule.until is None else [*lines, f"until: {rule.until.isoformat()}"]


def _quoted(text: str) -> str:
    # Python's escapes of what cannot be printed are also YAML's
    bare = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in bare)
    return f'"{"".join(escaped)}"'
