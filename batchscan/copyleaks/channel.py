"""Requests sent and answers held against the vendor's table, with a token that others keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from batchscan.copyleaks import requests
from batchscan.copyleaks.answers import LONG_ANSWER, CheckResult, read_check
from batchscan.copyleaks.failures import failure
from batchscan.copyleaks.requests import Multipart, Request
from batchscan.copyleaks.transport import Transport


@dataclass(frozen=True, slots=True)
class Checked:
    """A check's answer: the verbatim body, and what it says."""

    body: bytes = field(repr=False)
    result: CheckResult


class Channel:
    """Asks, and reads what comes back; knows neither the key nor how to get a token."""

    def __init__(self, api_url: str, transport: Transport, now: Callable[[], float]) -> None:
        """Prepare; `now` gives seconds since 1970."""
        self._api_url = api_url
        self._transport = transport
        self._now = now
        self._date: str | None = None  # the last answer's Date header
        self.server_time: float | None = None  # seconds since 1970 by the last one that was read

    async def check(
        self,
        scan_id: str,
        form: Multipart,
        token: str,
        leaving: Callable[[], None] | None = None,
    ) -> Checked:
        """Send one picture once; paid when it is answered, but for the sandbox.

        Args:
            scan_id: the id that the form was made for.
            form: the picture, by `requests.check_form`.
            token: the access token.
            leaving: called when the first byte leaves.

        Raises:
            CopyleaksError: as its tree says.
        """
        request = requests.check(self._api_url, scan_id, form, token)
        body = await self.ask(request, token, leaving=leaving)
        if len(body) < LONG_ANSWER:
            return Checked(body, read_check(body, scan_id))
        return Checked(body, await asyncio.to_thread(read_check, body, scan_id))

    async def ask(
        self,
        request: Request,
        secret: str,
        *,
        login: bool = False,
        leaving: Callable[[], None] | None = None,
    ) -> bytes:
        """The body of a 200; `secret` is what is sent and must not be shown where it is echoed.

        Raises:
            CopyleaksError: as its tree says.
        """
        response = await self._transport.send(request, leaving)
        date = response.headers.get("Date")
        if date != self._date:  # many answers come within its second
            self._date, self.server_time = date, _date(date) or self.server_time
        if response.status == HTTPStatus.OK:
            return response.body
        raise failure(
            response.status,
            response.headers,
            response.body,
            login=login,
            now=self._now(),
            secrets=(secret,),
        )


def _date(value: str | None) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None
