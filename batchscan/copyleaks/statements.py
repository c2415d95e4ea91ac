"""What a field of an answer says: that something is there, that it is not, or that a search failed.

Names are in lower-case letters, without anything else: `hasMore` and `has_more` are `hasmore`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Judge: TypeAlias = Callable[[object], bool]
Rules: TypeAlias = tuple[tuple[re.Pattern[str], Judge, str], ...]

_ZERO = re.compile(  # "" too
    r"\s*([-+]?0*(\.0*)?\s*(%|(/|of) ?\d+|match(es)?|results?|hits?|cop(y|ies))?"
    r"|no|none|nil|null|zero|false|off|n/?a|-|no[ _-]?(errors?|match(es)?|results?|hits?|cop(y|ies)))"
    r"( found)?\s*",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"error|exception|(?<!de)fault|failure|failed|partial|incomplete|truncated|timeout|timedout"
    r"|unavailable|degraded|abort|cancell?ed|skipped|omitted|limitreached|hasmore|exceeded|throttl"
    r"|ratelimited|(quota|limit)(hit|reached)|rejected|denied|refused|interrupted|stopped|expired"
    r"|inconclusive|unfinished|unreachable|unprocessed|unsearched|retrylater|withheld|suppressed"
    r"|outof(time|credits|quota|memory)|overload|maintenance|earlytermination|terminatedearly"
)
_OF_NAMES = re.compile(
    r"(?<!un)limited|capped|hidden|redacted|blocked|filtered(out)?(count|match(es)?|results?)?$"
    r"|missing|unchecked|not(searched|checked|complete)|^(is)?(excluded|removed|dropped)(match(es)?|results?|count)?$"
    r"|^err(no|code|msg|s)?$|^(exit|return)code$|retry(after|in|able)|^(should)?retry$|over(quota|limit)"
)
_GOING_ON = re.compile(
    r"(is|still)*(pending|processing|inprogress|running|queued|waiting|searching|scanning)"
    r"(sources|searches|tasks|jobs|results|matches|count|pages|items)?"
)
_UNFINISHED = re.compile(r"pending|processing|progress|running|queued|waiting|searching")
_HARMLESS = re.compile(
    r"\b(no|not|without( any)?|0|zero|never)( \w+( or \w+)?)?"
    r" (errors?|exceptions?|faults?|failures?|truncated|skipped|omitted|failed|timeouts?|limits? reached)\b"
    r"|\b0 of \d+ (\w+ )?(failed|skipped|timed out)\b"
    r"|\bpartial(ly)?[ -](match(es|ing)?|cop(y|ies)|hits?|results?)"
    r"|\b(could not|couldn.t|cannot|can.t|unable to|failed to|did not|didn.t)"
    r" (find|locate|detect) (any|an?|similar|identical|matching|match|matches|cop(y|ies)|other)\b"
)
_IN_PROSE = re.compile(
    r"try again|retry|could ?n[o']t|can ?n?['o]t\b|unable|did ?n[o']t (finish|complete|respond|answer|search|run)"
    r"|not (all|every|complete|finished|available|searched|checked|supported|indexed|yet|performed"
    r"|exhaustive|final|reliable|possible|responding)"
    r"|only (the first|some|(a )?part|\d+ of)|quota|rate limit|too many|busy|temporar(il)?y (un|out|down)"
    r"|(may|might|could) (exist|have been missed|be (missing|incomplete|more|delayed|stale))"
    r"|more (results|matches|pages|copies)|next page|gave up|given up|time ?d? ?out|time (limit|budget)"
    r"|deadline|out of (time|credits|quota)|insufficient|no (response|answer|reply|credits|quota)"
    r"|still (running|searching|processing)|in progress|pending|best.effort|stopped|cut short|outage"
    r"|\b(?!0)([1-9][\d,]*|one|two|three|four|five|several|some|many|multiple) (\w+ ){0,2}?"
    r"(match(es)?|cop(y|ies)|results?|hits?|duplicates?)\b"
    r"|\b(match(es)?|results|hits|copies)( found)? ?[:=] ?[1-9]"
)
_DOUBTFUL = re.compile(  # words of a status
    r"\b(fail|err|ko|nok|bad|invalid|unknown|unsupported|down|offline|warn(ing)?|accepted|started"
    r"|scheduled|submitted|paused|suspended|halted|killed|terminated|busy|limited|blocked|forbidden"
    r"|unauthorized|undetermined|indeterminate|stale|retry|unsure)\b"
)
_MATCHED = re.compile(  # the whole status
    r"match(ed|(es)?found)?|found|copied|cop(y|ies)found|plagiari[sz](ed|m)|duplicate|positive|similar"
)
_CODE = re.compile(r"\s*([45]\d\d|20[267])\b")  # of HTTP, as text
_SUCCESS = re.compile(
    r"(is|was|all|search|scan|fully)*(success(ful)?|succeeded|completed?|finished|done|ready|searched|ok)"
)
_SOUND = re.compile(  # a number says nothing here
    r"(is|was|all|search|scan|fully)*(final|exhaustive|exhausted|reliable|valid|conclusive|performed"
    r"|executed|available|checked|analy[sz]ed|supported|indexed|clean|unique|passed|healthy"
    r"|last(page)?)"
)
_STATUS = re.compile(
    r"(http|search|scan|job|task|result|response|match|overall|process|crawl|engine)?"
    r"(status|state|outcome)(code)?|(result|status)?code|(search|scan)?result"
)
_PROSE = re.compile(
    rf"(?!\w*({_FAILURE.pattern}))\w*(message|msg|detail|reason|warning|notice|note|hint|comment|explanation|description|title"
    r"|summary|remark|advice|info)s?"
)
_LEAST_FAILURE = 400  # of the statuses in HTTP
_IN_PART = (202, 206, 207)
_MAX_TEXT = 1_000  # characters; nobody writes more about nothing
_MAX_TEXTS = 100  # in one list
_NOT_LETTERS = re.compile(r"[^a-z]+")


def rules(*table: tuple[str, Judge, str]) -> Rules:
    """The rules of a table: a pattern of the whole name, when its value matters, and what to say."""
    return tuple((re.compile(names), judge, complaint) for names, judge, complaint in table)


def letters_of(text: str) -> str:
    """A text in lower-case letters, without anything else."""
    return _NOT_LETTERS.sub("", text.lower())


def number_in(value: object) -> int | float | None:
    """A value that is a number; None for any other, and for true and false."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_nothing(value: object) -> bool:
    """Whether a score, or a part of one, is zero or empty."""
    if isinstance(value, dict):
        return all(map(is_nothing, value.values()))
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT and bool(_ZERO.fullmatch(value))
    return not value  # NaN is something


def says_some(value: object) -> bool:
    """Whether a field is set."""
    return not is_nothing(value)


def says_no(value: object) -> bool:
    """Whether a field is there and says no, or 0."""
    return value is not None and value != "" and is_nothing(value)


def says_failed(name: str, value: object) -> bool:
    """Whether a field says that the search failed, was not complete, or goes on."""
    for names, judge in _JUDGES:
        if names.fullmatch(name):
            return judge(value)
    return _is_about_failure(name) and says_some(value) and not _is_good_word(value)


def _is_about_failure(name: str) -> bool:
    return bool(_FAILURE.search(name) or _OF_NAMES.search(name))


def _says_no_word(value: object) -> bool:
    return value is False or str(value).lower() in ("false", "no")


def _tells_failure(value: object) -> bool:
    """Whether a text, or one in a list, does."""
    texts = value if isinstance(value, list) else [value]
    told = any(isinstance(text, str) and tells_failure(text) for text in texts[:_MAX_TEXTS])
    return told or len(texts) > _MAX_TEXTS


def _goes_on(value: object) -> bool:
    return number_in(value) is None and not isinstance(value, dict)


def tells_failure(text: str) -> bool:
    """Whether a sentence says that the search failed, or that it found something."""
    if len(text) > _MAX_TEXT:
        return True
    words = _HARMLESS.sub("", " ".join(text.lower().split()))
    return any(map(_FAILURE.search, (words, letters_of(words)))) or bool(_IN_PROSE.search(words))


def _is_bad_status(value: object) -> bool:
    if isinstance(value, str):
        words = " ".join(_NOT_LETTERS.split(value[:_MAX_TEXT].lower()))
        return bool(
            _CODE.match(value)
            or tells_failure(value)
            or _UNFINISHED.search(words)
            or _MATCHED.fullmatch(words.replace(" ", ""))
            or _DOUBTFUL.search(words)
        )
    number = number_in(value)
    if number is not None:
        return number < 0 or number >= _LEAST_FAILURE or number in _IN_PART
    return value is False


def _is_good_word(value: object) -> bool:
    """Whether an error's code or text says that there is none."""
    return isinstance(value, str) and bool(_SUCCESS.fullmatch(letters_of(value[:_MAX_TEXT])))


_JUDGES: tuple[tuple[re.Pattern[str], Judge], ...] = (  # the first one that fits
    (_SUCCESS, lambda value: value is not None and is_nothing(value)),
    (_SOUND, _says_no_word),
    (_STATUS, _is_bad_status),
    (_PROSE, _tells_failure),
    (re.compile("processing"), lambda value: _goes_on(value) and says_some(value)),
    (_GOING_ON, says_some),
)
