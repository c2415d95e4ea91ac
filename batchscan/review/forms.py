"""Parsing the forms of our pages strictly."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from batchscan.enums import Disposition
from batchscan.errors import UsageError
from batchscan.util.escaping import printable

Form = MultiDictProxy[str]
_TYPE: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 1_000


async def form_of(request: web.Request) -> Form:
    """Parse a form; files and encodings other than UTF-8 are refused.

    Raises:
        UsageError: it is not one of our forms.
        HTTPRequestEntityTooLarge: it is too long.
    """
    body = await request.read()
    if body and request.content_type != _TYPE:
        raise UsageError(f"a form is sent as {_TYPE}")
    try:
        fields = parse_qsl(
            body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise UsageError("the form has too many fields") from error
    return MultiDictProxy(MultiDict((name, value.strip()) for name, value in fields))


def decision(word: str) -> Disposition:
    """The decision that a button makes.

    Raises:
        UsageError: it is not a decision.
    """
    if word not in {*Disposition} or word == Disposition.ALLOWED:
        raise UsageError(f"'{printable(word[:50])}' is not a decision")
    return Disposition(word)
