"""The actions of faults, one type for each way to fail."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Shape = Literal["json", "problem", "message", "error", "text", "html", "empty", "torn", "garbage"]
OddBody = Literal[
    "not_json",
    "no_list",
    "null_list",
    "wrong_types",
    "unknown_type",
    "extra_keys",
    "odd_urls",
    "huge",
]


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="delay"):
    """Answer late; what is charged is charged after the wait."""

    seconds: Seconds


class AnswerInstead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="answer"):
    """Answer with this status instead.

    While `reading` the body, `before` the charge, or `after` it. A `tear` or `drip` of the same
    request applies to this answer, too.
    """

    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    body: Shape = "json"
    code: int | None = None  # the vendor's error code, in the shapes that have one
    headers: dict[str, str] = {}
    when: Literal["reading", "before", "after"] = "before"


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reset"):
    """Cut the connection.

    `before` the body is read, while `reading` it, or `after` the charge and before the answer.
    """

    when: Literal["before", "reading", "after"] = "after"


class Hang(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hang"):
    """Do not answer, `before` or `after` the charge, then cut the connection."""

    when: Literal["before", "after"] = "after"
    seconds: Seconds = 300.0


class Drip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drip"):
    """Send the answer in small pieces."""

    piece: Annotated[int, msgspec.Meta(ge=1)] = 16  # bytes
    seconds: Seconds = 0.05  # between two pieces


class Tear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tear"):
    """Announce the whole answer, send half of it, and cut the connection."""


class Odd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="odd"):
    """Answer 200 and charge, with a malformed body."""

    body: OddBody


class RevokeTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="revoke_tokens"):
    """Revoke all tokens before this request's token is checked."""


class EmptyBalance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="empty_balance"):
    """Set the balance to zero."""


class Replace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="replace"):
    """Serve another file of the web in this one's place."""

    by: str  # its path below the web's folder


Action = (
    Delay | AnswerInstead | Reset | Hang | Drip | Tear | Odd | RevokeTokens | EmptyBalance | Replace
)
