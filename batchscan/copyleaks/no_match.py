"""Whether an answer with an empty list of matches really says that there is no match.

"No match" is final, so everything else in the answer must agree with it: a score, entries under
another name, or a statement that the search failed contradict it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_ZERO = re.compile(r"\s*[-+]?0*(\.0*)?\s*")  # "" too
_FAILURE = re.compile(r"error|exception|(?<!de)fault|failure|failed|partial|incomplete|truncated")
_SUCCESS = frozenset({"success", "succeeded", "ok", "complete", "completed", "issuccess"})
_STATUS = frozenset({"status", "statuscode", "state"})
_LEAST_FAILURE = 400  # of the statuses in HTTP
_ADDRESSES = re.compile(r"url|uri", re.IGNORECASE)
_MAX_VALUES = 100_000  # that are checked


def contradiction(answer: dict[str, Any]) -> str | None:
    """Why an answer with an empty list of matches may have some; None if nothing contradicts it."""
    matches = answer.get("matches")
    for objects in (answer, matches):
        for name, value in objects.items() if isinstance(objects, dict) else ():
            if name.lower() == "score" and not is_nothing(value):
                return "its list of matches is empty, and its score is not"
            if says_failure(name.lower(), value):
                return f"its list of matches is empty, and it says {name!r}: {value!r}"[:300]
    others = matches.values() if isinstance(matches, dict) else ()
    if any(map(_objects, others)) or any(map(_has_addresses, _values(answer))):
        return "its list of matches is empty, and it has entries elsewhere"
    return None


def is_nothing(value: object) -> bool:
    """Whether a score, or a part of one, is zero or empty."""
    if isinstance(value, dict):
        return all(map(is_nothing, value.values()))
    if isinstance(value, str):
        return bool(_ZERO.fullmatch(value))
    return not value  # NaN is something


def says_failure(name: str, value: object) -> bool:
    """Whether a field, its name in lower case, says that the search failed or is not complete."""
    if name in _SUCCESS:
        return value is False
    if name in _STATUS:
        number = isinstance(value, int | float) and value >= _LEAST_FAILURE
        return number or (isinstance(value, str) and bool(_FAILURE.search(value.lower())))
    return bool(_FAILURE.search(name)) and not is_nothing(value)


def _objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none of any other value."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _has_addresses(value: object) -> bool:
    """Whether a value is a list of objects with addresses."""
    return any(any(map(_ADDRESSES.search, entry)) for entry in _objects(value))


def _values(answer: dict[str, Any]) -> Iterator[object]:
    """All values of an answer, at any depth."""
    waiting: list[object] = [answer]
    for _ in range(_MAX_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        yield value
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
