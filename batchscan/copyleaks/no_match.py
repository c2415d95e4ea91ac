"""Whether an answer with an empty list of matches really says that there is no match.

"No match" is final, so everything else in the answer must agree with it: a score, entries under
another name, or a statement that the search failed contradict it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_ZERO = re.compile(r"\s*[-+]?0*(\.0*)?\s*")  # "" too
_FAILURE = re.compile(
    r"error|exception|(?<!de)fault|failure|failed|partial|incomplete|truncated|timeout|timedout"
    r"|unavailable|degraded|abort|cancell?ed|skipped|omitted|limitreached|hasmore"
)
_NO_FAILURE = re.compile(r"\b(no|without( any)?|0) (errors?|exceptions?|faults?|failures?)\b")
_UNFINISHED = re.compile(r"pending|processing|progress|running|queued|waiting")
_CODE = re.compile(r"\s*[45]\d\d\b")  # of HTTP, as text
_SUCCESS = frozenset({"success", "succeeded", "ok", "done", "ready", "searched"}) | {
    prefix + word
    for prefix in ("", "is")
    for word in ("success", "complete", "completed", "finished")
}
_STATUS = frozenset({"status", "statuscode", "state", "code", "result", "resultcode", "outcome"})
_PROSE = frozenset({"message", "detail", "details", "reason", "warning", "warnings"})
_COUNT = re.compile(
    r"total(count)?|count|(total|number|num)(of)?(matches|results|hits)|(matches|results|hits)(count)?"
    r"|(full|partial)matches"
)
_SCORE = frozenset({"score", "scores"})
_LEAST_FAILURE = 400  # of the statuses in HTTP
_ECHOED = frozenset({"developerpayload", "filename"})  # what we sent says nothing
_NOT_LETTERS = re.compile(r"[^a-z]")
_ADDRESSES = re.compile(r"url|uri", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_MAX_VALUES = 100_000  # that are checked


def contradiction(answer: dict[str, Any]) -> str | None:
    """Why an answer with an empty list of matches may have some; None if nothing contradicts it."""
    for name, value in _fields(answer):
        counts_some = _COUNT.fullmatch(name) and not isinstance(value, dict)  # which has its own
        if (name in _SCORE or counts_some) and not is_nothing(value):
            return f"its list of matches is empty, and its {name} is not"
        if says_failure(name, value):
            return f"its list of matches is empty, and it says {name!r}: {value!r}"[:300]
        if _has_addresses(value):
            return "its list of matches is empty, and it has entries elsewhere"
    matches = answer.get("matches")
    others = matches.values() if isinstance(matches, dict) else ()
    if any(map(_objects, others)):
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
    """Whether a field, its name in lower-case letters, says that the search failed or goes on."""
    if name in _SUCCESS:
        return value is not None and (is_nothing(value) or str(value).lower() in ("false", "no"))
    if name in _STATUS:
        return _is_bad_status(value)
    if name in _PROSE:
        return any(isinstance(text, str) and _tells_failure(text) for text in _list_of(value))
    return bool(_FAILURE.search(name)) and not is_nothing(value)


def _is_bad_status(value: object) -> bool:
    if isinstance(value, str):
        words = _tells_failure(value) or _UNFINISHED.search(value.lower())
        return bool(words or _CODE.match(value))
    return value is False or (isinstance(value, int | float) and value >= _LEAST_FAILURE)


def _tells_failure(text: str) -> bool:
    return bool(_FAILURE.search(_NO_FAILURE.sub("", text.lower())))


def _list_of(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none of any other value."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _has_addresses(value: object) -> bool:
    """Whether a value is a list of addresses, is by addresses, or is a list of objects with some."""
    texts = value if isinstance(value, list | dict) else ()
    return any(_is_address(text) for text in texts) or any(
        any(
            _ADDRESSES.search(name) or (_is_address(content) and "rel" not in entry)
            for name, content in entry.items()
        )
        for entry in _objects(value)
    )


def _is_address(value: object) -> bool:
    return isinstance(value, str) and bool(_ADDRESS.match(value))


def _fields(answer: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """All fields of an answer, at any depth, their names in lower-case letters."""
    waiting: list[object] = [answer]
    for _ in range(_MAX_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
            continue
        for key, content in value.items() if isinstance(value, dict) else ():
            name = _NOT_LETTERS.sub("", key.lower())
            if name not in _ECHOED or not isinstance(content, str):
                yield name, content
                waiting.append(content)
