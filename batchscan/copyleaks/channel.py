"""Sending requests with a given token, and turning error responses into exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal

from batchscan.copyleaks import requests
from batchscan.copyleaks.error_table import clean, failure
from batchscan.copyleaks.errors import BadResponse, OtherAnswer, ServerFailed, ServiceError
from batchscan.copyleaks.requests import Multipart, Request
from batchscan.copyleaks.responses import may_be_answer
from batchscan.copyleaks.strict_response import charged_answer
from batchscan.copyleaks.transport import BeforeLong, Response, Transport
from batchscan.copyleaks.whose import LONG_ANSWER, Endpoint, endpoint_of, named_scan_id


@dataclass(frozen=True, slots=True)
class Checked:
    """The verbatim answer to a check; parsed by `responses.read_check`."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class ApiChannel:
    """Sends requests; has neither the key nor a way to get a token."""

    def __init__(self, api_url: str, transport: Transport, now: Callable[[], float]) -> None:
        """Send to `api_url`; `now` returns seconds since 1970."""
        self._api_url = api_url
        self._transport = transport
        self._now = now
        self._date: str | None = None  # the last answer's Date header
        self.server_time: float | None = None  # seconds since 1970, by the last valid header

    async def check(
        self,
        scan_id: str,
        form: Multipart,
        token: str,
        leaving: Callable[[], None] | None = None,
        before_long: BeforeLong | None = None,
    ) -> Checked:
        """Send one picture once; an answer is charged, except in the sandbox.

        The answer is not parsed here: the caller has to store it first.

        Args:
            scan_id: the id of the form.
            form: the picture, made by `requests.check_form`.
            token: the access token.
            leaving: called when the first byte is sent.
            before_long: awaited before a long answer is read into memory.

        Raises:
            OtherAnswer: a 200 that names another scan id, or is the answer of another endpoint.
            BadResponse: a 200 that is not like an answer.
            CopyleaksError: see `errors`.
        """
        request = requests.check(self._api_url, scan_id, form, token)
        response = await self._send(
            request, token, leaving=leaving, before_long=before_long, scan_id=scan_id
        )
        if not may_be_answer(response.body):
            details = ServiceError(http_status=response.status)
            raise BadResponse("the answer is not a JSON object", details, response.body)
        if len(response.body) >= LONG_ANSWER:
            named = await asyncio.to_thread(named_scan_id, response.body)
        else:
            named = named_scan_id(response.body)
        if named is None:
            self._check_endpoint(response, "check")
        elif named.casefold() != scan_id:
            self._transport.distrust()
            message = f"the answer is about another picture: it names the scan id {clean(named)}"
            details = ServiceError(http_status=response.status)
            raise OtherAnswer(message, details, response.body, fresh=response.fresh)
        return Checked(
            response.body, {name.lower(): value for name, value in response.headers.items()}
        )

    async def ask(
        self, request: Request, secret: str, endpoint: Literal["login", "credits"]
    ) -> bytes:
        """The body of a 200; `secret` is removed from error messages that echo it.

        Raises:
            OtherAnswer: a 200 that is the answer of another endpoint.
            CopyleaksError: see `errors`.
        """
        response = await self._send(request, secret, login=endpoint == "login")
        self._check_endpoint(response, endpoint)
        return response.body

    def _check_endpoint(self, response: Response, asked: Endpoint) -> None:
        """Refuse the answer of another endpoint, which may contain a token."""
        answers = endpoint_of(response.body)
        if answers not in (None, asked):
            self._transport.distrust()
            message = f"the answer is about another request: the {answers}'s"
            details = ServiceError(http_status=response.status)
            raise OtherAnswer(message, details, b"", fresh=response.fresh)

    async def _send(
        self,
        request: Request,
        secret: str,
        *,
        login: bool = False,
        leaving: Callable[[], None] | None = None,
        before_long: BeforeLong | None = None,
        scan_id: str | None = None,
    ) -> Response:
        response = await self._transport.send(request, leaving, before_long)
        date = response.headers.get("Date")
        if date != self._date:  # parse it once a second
            self._date, self.server_time = date, _date(date) or self.server_time
        if response.status == HTTPStatus.OK or _is_answer(response, scan_id):
            return response
        error = failure(
            response.status,
            response.headers,
            response.body,
            login=login,
            now=self._now(),
            secrets=(secret,),
        )
        if isinstance(error, ServerFailed):
            error.sent = response.sent
        raise error


def _is_answer(response: Response, scan_id: str | None) -> bool:
    """Whether a response that is no 200 is the answer to a check all the same.

    A proxy that changed it says 203, for example, one that failed afterwards 502, and a service
    that knows the scan id already may say 409: what is paid for is not asked for again.
    """
    if scan_id is None or not response.sent or b'"matches"' not in response.body:
        return False
    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
        return charged_answer(response.body, scan_id)
    return response.status >= HTTPStatus.OK and named_scan_id(response.body) == scan_id


def _date(value: str | None) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None
