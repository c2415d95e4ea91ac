"""The public suffix list: under which names anybody may register one.

The list is a file of tldextract, and its rules are applied as tldextract does. That package is not
imported, as it imports an HTTP client; nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_ONLY_ICANN = "// ===BEGIN PRIVATE DOMAINS==="


def registrable(host: str) -> str:
    """A host's public suffix and the label before it; the host where there is none."""
    labels = host.split(".")
    start = _suffix_start(labels) - 1
    return ".".join(labels[start:]) if 0 <= start < len(labels) - 1 and labels[start] else host


def is_public_suffix(host: str) -> bool:
    """Whether a host is a suffix under which anybody may register a name: `com`, `co.uk`."""
    return bool(host) and _suffix_start(host.split(".")) == 0


class SuffixRules(NamedTuple):
    """The list, by names."""

    names: dict[str, bool]  # what suffixes end with; True where that is a rule of its own
    short: frozenset[str]  # of one label, not followed by any label at all (`*.ck`): `com`


@cache
def suffix_rules() -> SuffixRules:
    """The list; read when it is first asked for."""
    names: dict[str, bool] = {}
    for suffix in _listed():
        parent = suffix
        while parent := parent.partition(".")[2]:
            names.setdefault(parent, False)
        names[suffix] = True
    short = (name for name, is_rule in names.items() if is_rule and "." not in name)
    return SuffixRules(names, frozenset(name for name in short if f"*.{name}" not in names))


def _suffix_start(labels: list[str]) -> int:
    """Which label a public suffix starts with; the number of labels if there is none."""
    rules = suffix_rules().names
    suffix = start = len(labels)
    tail = ""
    while start:
        label = _in_letters(labels[start - 1])
        longer = f"{label}.{tail}" if tail else label
        is_rule = rules.get(longer)
        if is_rule is None:
            if f"*.{tail}" in rules:
                suffix = start if f"!{longer}" in rules else start - 1
            break
        start, tail = start - 1, longer
        suffix = start if is_rule else suffix
    return suffix


def _in_letters(label: str) -> str:
    """A label as the list has it: in lower case, without punycode."""
    label = label.lower()
    if not label.startswith("xn--"):
        return label
    import idna  # noqa: PLC0415 - most names do without

    try:
        return idna.decode(label)
    except (UnicodeError, IndexError):
        return label


def _listed() -> Iterator[str]:
    """The rules of registries, one a line before any blank; the others are of single companies."""
    spec = find_spec("tldextract")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("tldextract is not installed", name="tldextract")
    text = Path(spec.origin).with_name(".tld_set_snapshot").read_text("utf-8")
    for line in text.partition(_ONLY_ICANN)[0].splitlines():
        if line and not line[0].isspace() and not line.startswith("//"):
            yield line.split(maxsplit=1)[0]
