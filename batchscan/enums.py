"""The closed sets of words that the files and the exit codes use (the contract with scripts)."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The outcome of a file; each file has exactly one, so that the counts add up."""

    UNCHANGED = "unchanged"
    SCANNED = "scanned"
    REUSED = "reused"
    COVERED = "covered"
    REJECTED = "rejected"
    FAILED = "failed"
    DEFERRED = "deferred"


class RejectReason(StrEnum):
    """Why the API would not take a file; nothing was charged for it."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NOT_AN_IMAGE = "not_an_image"
    EXTENSION_MISMATCH = "extension_mismatch"
    CORRUPT = "corrupt"
    REFUSED_BY_API = "refused_by_api"


class FailReason(StrEnum):
    """Why a file that was tried has no answer; it is tried again in the next run."""

    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    CHANGED_WHILE_READING = "changed_while_reading"
    CHECK_FAILED = "check_failed"
    NETWORK = "network"
    SERVER_ERROR = "server_error"
    BAD_RESPONSE = "bad_response"
    OUTCOME_UNKNOWN = "outcome_unknown"


class DeferReason(StrEnum):
    """Why a file was not tried in this run."""

    CREDITS = "credits"
    BUDGET = "budget"
    LIMIT = "limit"
    DURATION = "duration"
    INTERRUPTED = "interrupted"
    UNAVAILABLE = "unavailable"
    AUTH = "auth"
    TOO_YOUNG = "too_young"
    DRY_RUN = "dry_run"


class MatchKind(StrEnum):
    """How a picture on the web copies ours; `other` is a kind the vendor had not documented."""

    FULL = "full"
    PARTIAL = "partial"
    OTHER = "other"


class RecheckKind(StrEnum):
    """Which of a match's addresses was asked: two questions, for one may be gone without the other."""

    PICTURE = "picture"
    PAGE = "page"


class RecheckVerdict(StrEnum):
    """The verdict of a recheck; only `gone` says that the match is no longer there."""

    THERE = "there"
    CHANGED = "changed"  # something else is there, or nothing that is a picture
    GONE_ONCE = "gone_once"  # not there, and not for a day yet
    GONE = "gone"  # not there twice, at least a day apart
    UNKNOWN = "unknown"  # the answer says nothing about it


class MatchState(StrEnum):
    """The state of a match in a picture's history, seen from one run."""

    NEW = "new"  # this run was the first to see it
    KNOWN = "known"
    GONE = "gone"  # the newest answer does not show it any more
    RETURNED = "returned"  # it had gone, and this run saw it again


class MatchEvent(StrEnum):
    """An event of a match that alerts report."""

    NEW = "new"
    RETURNED = "returned"
    FULL = "full"  # it was a partial copy


class Disposition(StrEnum):
    """A user's decision about a match."""

    OPEN = "open"
    REVIEWED = "reviewed"  # a user looked, and it is a copy that should not be there
    NOTICED = "noticed"  # its site was written to
    REMOVED = "removed"  # its site says that it took it down
    NOT_MINE = "not_mine"  # looks alike, and is no copy
    ALLOWED = "allowed"  # by a rule of allow.yaml, which precedes decisions


class CaptureKind(StrEnum):
    """The kind of a captured resource."""

    PICTURE = "picture"  # at the match's own address
    PAGE = "page"  # that shows it
    RESOURCE = "resource"  # that a page is made of
    SCREENSHOT = "screenshot"  # of a page, as a browser showed it


class ExitReason(StrEnum):
    """Why a run ended, one word for each exit code."""

    OK = "ok"
    INTERNAL_ERROR = "internal_error"
    USAGE = "usage"
    PARTIAL = "partial"
    AUTH = "auth"
    LIMIT = "limit"
    NO_CREDITS = "no_credits"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    STORAGE = "storage"
    MATCHES = "matches"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
