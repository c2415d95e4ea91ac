"""The public suffix list: under which names anybody may register one.

The list of registries only, without the suffixes of single companies, as it comes with
publicsuffixlist; nothing is downloaded.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_REMEMBERED = 10_000
_END = "// ===END ICANN DOMAINS==="


@lru_cache(_REMEMBERED)
def registrable(host: str) -> str:
    """A host's public suffix and the label before it; the host where there is none."""
    return _suffixes().privatesuffix(host, keep_case=True) or host


def is_public_suffix(host: str) -> bool:
    """Whether a host is a suffix under which anybody may register a name: `com`, `co.uk`."""
    return bool(host) and _suffixes().publicsuffix(host, keep_case=True) == host


def domain_by_rules(host: str, ending: str, top: str) -> str:
    """The same as `registrable` for an ASCII name without punycode, but faster.

    Args:
        host: of at least two labels.
        ending: its last two labels.
        top: its last label.
    """
    rules = _simple_rules()
    if ending not in rules.endings:
        return ending if top in rules.short else registrable(host)
    return ".".join(host.rsplit(".", 3)[-3:]) if ending in rules.pairs else registrable(host)


class _SimpleRules(NamedTuple):
    """The part of the list that decides nearly all names by their last two or three labels."""

    short: set[str]  # suffixes of one label that allow any second label: `com`, but not `ck`
    endings: set[str]  # the last two labels of all longer rules: `co.uk`, and `kobe.jp`
    pairs: set[str]  # suffixes of two labels that allow any third label: `co.uk`


@cache
def _simple_rules() -> _SimpleRules:
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    lines = map(str.strip, text.partition(_END)[0].splitlines())
    rules = {line for line in lines if line and not line.startswith("//")}
    long = {".".join(rule.lstrip("!").rsplit(".", 2)[-2:]) for rule in rules if rule.count(".") > 1}
    pairs = {rule.lstrip("!") for rule in rules if rule.count(".") == 1}
    return _SimpleRules(
        short={rule for rule in rules if "." not in rule and f"*.{rule}" not in rules},
        endings=long | pairs,
        pairs=(pairs & rules) - long,  # without exceptions, which are in `rules` with their `!`
    )


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - most runs do without

    return PublicSuffixList(only_icann=True, accept_unknown=False)
