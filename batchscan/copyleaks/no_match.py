"""Whether an answer with an empty list of matches really says that there is no match.

"No match" is final, so everything else in the answer must agree with it: a score, entries under
another name, more pages, or a statement that the search failed contradict it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from batchscan.copyleaks.statements import (
    Judge,
    Rules,
    is_nothing,
    letters_of,
    number_in,
    rules,
    says_failed,
    says_no,
    says_some,
)

_ECHOED = frozenset({"developerpayload", "filename"})  # what we sent says nothing
_ADDRESSES = re.compile(r"url|uri", re.IGNORECASE)
_ABOUT = re.compile(r"doc|help|info|support|schema", re.IGNORECASE)  # addresses of explanations
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_RELATIONS = frozenset(
    {"self", "help", "about", "status", "describedby", "documentation", "profile", "up"}
    | {"first", "last", "prev", "previous", "next"}
)
# Lists beside the matches that describe the search
_DESCRIBING = re.compile(
    r"links?|\w*(notes|notices|warnings|messages|hints|errors)|searched\w*"
    r"|\w*(sources|engines|providers|indexes|indices)"
    r"|languages|regions|countries|filters|types|categories|tags|keywords|fields|facets|sort\w*"
)
_ALL = 100  # percent
_MAX_VALUES = 1_000  # that are checked
_MAX_NAME = 100  # letters of a name that are looked at

_THINGS = r"(match(es)?|results?|hits?|cop(y|ies)|duplicates?|occurrences?|findings?|items|entries|records|elements)"
_PLACES = r"(sources|engines|indexe?s|indices|pages|images|providers|shards|sites|databases)"
_DID = r"(searched|queried|scanned|checked|crawled|compared)"


def _contains_more(value: object) -> bool:
    """Whether a field about the next page names one; -1 is none."""
    number = number_in(value)
    return not is_nothing(value) if number is None else number > 0


def _is_several(value: object) -> bool:
    text = value.strip() if isinstance(value, str) else ""
    number = int(text) if text.isdecimal() and len(text) < _MAX_NAME else number_in(value)
    return number is not None and number > 1


def _is_half(value: object) -> bool:
    """Whether it is a share of the work, in percent or as a fraction, and not all of it."""
    number = number_in(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,3}(\.[0-9]{1,9})?\s*%?\s*", value):
        number = float(value.strip().rstrip("% "))
    return number is not None and 0 <= number < _ALL and number != 1


def _is_entry(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_next(value: object) -> bool:
    return "next" in str(value).lower().split()


def _is_filled_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _counts(value: object) -> bool:
    return not isinstance(value, dict) and not is_nothing(value)  # a dict's fields are looked at


_SOME = "its list of matches is empty, and its {name} is not"
_SAYS = "its list of matches is empty, and it says {name!r}: {value!r}"
_ELSEWHERE = "its list of matches is empty, and it has entries elsewhere"
_COUNT = (
    r"(?!(result|hit|copy)$)(total|count|totalcount|found|numfound"
    rf"|(total|number|num|nb|full|partial|exact|identical|similar)?(of)?{_THINGS}"
    r"(count|total|number|found|detected|available)?)"
)
_FOUND = (
    r"(?!copy$)(is|has|have|any|was)*(a)?(match(ed|es)?|cop(y|ies|ied)|plagiari[sz](ed|m)|duplicated?"
    r"|similar|identical|found|results|hits)(found|detected)?"
)
_LIKENESS = (
    r"similarity|(aggregated|similarity|plagiarism|overall|match(ing|ed)?|copy|duplicate|max|top|best)"
    r"(score|similarity|percent|percentage|ratio)s?"
)
_MORE = (
    r"(odata)?next(page|link|cursor|token|url|uri|href|offset|batch|results|set|start|key"
    r"|marker|index|number)*|continu(ation|e)(token|cursor|key|from|after|link|url)?"
    r"|(end|search|page|result)?cursor|(page|pagination|resume|resumption)token|lastevaluatedkey"
    rf"|(is|has|have|are|any|there)*(more|next)({_THINGS}|pages?|data|toload)*(available|exists?)?"
    rf"|(remaining|unread)({_THINGS}|pages)"
)
_PAGES = r"(?!page$)(total|number|num)?(of)?pages?(count|total)?"
_SHARE = (
    r"(percent(age)?)?(progress|completed?|done|completion|completeness|coverage)"
    r"(percent(age)?|rate|ratio)?"
)
_SEARCH = r"(internet|web|search|matching|detection)+(check|scan)?"
_LISTS = (
    r"webpages|database|batch|repositor(y|ies)|candidates|documents"
    r"|(similar|identical|exact|visually|matching|full|partial)\w*"
)
_RULES: Rules = rules(
    (r"scores?", says_some, _SOME),
    (f"{_COUNT}|{_FOUND}|{_LIKENESS}", _counts, _SOME),
    (_MORE, _contains_more, _SAYS),
    (_PAGES, _is_several, _SAYS),
    (r"rel", _is_next, _SAYS),
    (rf"{_PLACES}{_DID}|{_DID}{_PLACES}", says_no, _SAYS),
    (_SHARE, _is_half, _SAYS),
    (rf"{_SEARCH}disabled", says_some, _SAYS),
    (rf"{_SEARCH}enabled", says_no, _SAYS),
    (r"matchtype", _is_entry, _ELSEWHERE),
    (_LISTS, _is_filled_list, _ELSEWHERE),
)
_OF_OTHERS = re.compile(r"credit|usage|quota|limit|time|timing|duration|balance|shard|size|rate")
_TOTALS = frozenset({"total", "count", "found"})  # of anything


def contradiction(answer: dict[str, Any]) -> str | None:
    """Why an answer with an empty list of matches may have some; None if nothing contradicts it."""
    for number, field in enumerate(_fields(answer)):
        if number == _MAX_VALUES:
            return "its list of matches is empty, and too much else is there to be checked"
        complaint = _complaint_about(*field)
        if complaint is not None:
            return complaint
    matches = answer.get("matches")
    for name, value in matches.items() if isinstance(matches, dict) else ():
        if _is_filled_list(value) and not _DESCRIBING.fullmatch(_letters(name)):
            return _ELSEWHERE
    return None


def _complaint_about(parent: str, name: str, value: object) -> str | None:
    """What a field contradicts; None if nothing."""
    complaints = [
        complaint
        for judge, complaint in _rules_of(name)
        if judge(value) and not (name in _TOTALS and _OF_OTHERS.search(parent))
    ]
    if says_failed(name, value):
        complaints.append(_SAYS)
    if _has_addresses(value):
        complaints.append(_ELSEWHERE)
    return complaints[0].format(name=name, value=value)[:300] if complaints else None


@lru_cache(maxsize=1024)
def _rules_of(name: str) -> tuple[tuple[Judge, str], ...]:
    return tuple((judge, complaint) for names, judge, complaint in _RULES if names.fullmatch(name))


def _has_addresses(value: object) -> bool:
    """Whether a value is a list of addresses, is by addresses, or is a list of objects with some."""
    texts = value if isinstance(value, list | dict) else ()
    objects = value if isinstance(value, list) else ()
    return any(map(_is_address, texts)) or any(
        _has_address(entry) for entry in objects if isinstance(entry, dict)
    )


def _has_address(entry: dict[str, Any]) -> bool:
    if str(entry.get("rel")).lower() in _RELATIONS:
        return False
    return any(
        _is_address(content) or (_ADDRESSES.search(name) and not is_nothing(content))
        for name, content in entry.items()
        if not _ABOUT.search(name)
    )


def _is_address(value: object) -> bool:
    return isinstance(value, str) and bool(_ADDRESS.match(value))


def _letters(key: str) -> str:
    return letters_of(key)[:_MAX_NAME]


def _fields(answer: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    """All fields of an answer, at any depth: the parent's name and theirs in lower-case letters."""
    waiting: list[tuple[str, object]] = [("", answer)]
    while waiting:
        parent, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((parent, entry) for entry in value if isinstance(entry, dict | list))
            continue
        for key, content in value.items() if isinstance(value, dict) else ():
            name = _letters(key)
            if name not in _ECHOED or not isinstance(content, str):
                yield parent, name, content
                waiting.append((name, content))
