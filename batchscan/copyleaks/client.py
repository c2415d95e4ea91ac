"""The client for the vendor's API: log in, check a picture, get the balance."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from batchscan.copyleaks import requests
from batchscan.copyleaks.channel import ApiChannel, Checked
from batchscan.copyleaks.error_table import NotJson, decode
from batchscan.copyleaks.errors import BadResponse, CopyleaksError, OtherAnswer, TokenRefused
from batchscan.copyleaks.requests import Multipart
from batchscan.copyleaks.responses import read_credits
from batchscan.copyleaks.secret import SecretStr
from batchscan.copyleaks.token_provider import LIFE, ONE_WORD, AccessToken, TokenProvider, binding
from batchscan.copyleaks.transport import BeforeLong, Transport


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """An account and the addresses of the service."""

    api_url: str
    identity_url: str
    email: str
    key: str = field(repr=False)


class CopyleaksClient:
    """Calls the vendor's API with a shared token, which is renewed when it is refused."""

    def __init__(
        self, account: ApiAccount, transport: Transport, token_file: Path, now: Callable[[], float]
    ) -> None:
        """Use an account; `now` returns seconds since 1970."""
        self._account = account
        self._channel = ApiChannel(account.api_url, transport, now)
        self._now = now
        bound_to = binding(account.api_url, account.identity_url, account.email, account.key)
        self._tokens = TokenProvider(token_file, bound_to, self._log_in, now)

    @property
    def server_time(self) -> float | None:
        """The server's time in the last answer, seconds since 1970."""
        return self._channel.server_time

    @property
    def logins(self) -> int:
        """How often this process has logged in."""
        return self._tokens.logins

    @property
    def ready(self) -> bool:
        """Whether there is a token in memory, so that a check needs no login."""
        return self._tokens.ready

    async def login(self) -> None:
        """Make sure that there is a token, logging in if none is stored.

        Raises:
            CopyleaksError: the login failed.
        """
        await self._tokens.token()

    async def token(self) -> SecretStr:
        """A valid token.

        Raises:
            CopyleaksError: the login failed.
        """
        return await self._tokens.token()

    def refused(self, token: str) -> None:
        """Drop a token that the service refused; the next call logs in."""
        self._tokens.refused(token)

    async def check(
        self,
        scan_id: str,
        form: Multipart,
        leaving: Callable[[], None] | None = None,
        before_long: BeforeLong | None = None,
    ) -> Checked:
        """Send one picture once; an answer is charged, except in the sandbox.

        Args:
            scan_id: the id of the form.
            form: the picture, made by `requests.check_form`.
            leaving: called when the first byte is sent.
            before_long: awaited before a long answer is read into memory.

        Raises:
            TokenRefused: the token was refused; the next call logs in.
            CopyleaksError: see `errors`.
        """
        token = await self._tokens.token()
        try:
            return await self._channel.check(scan_id, form, token, leaving, before_long)
        except TokenRefused:
            self._tokens.refused(token)
            raise

    async def credits(self) -> int:
        """The account's balance, in credits.

        Raises:
            CopyleaksError: see `errors`.
        """
        try:
            return await self._credits()
        except (TokenRefused, OtherAnswer):  # again with a new token, over a new connection
            return await self._credits()

    async def _credits(self) -> int:
        token = await self._tokens.token()
        request = requests.credits_left(self._account.api_url, token)
        try:
            return read_credits(await self._channel.ask(request, token, "credits"))
        except TokenRefused:
            self._tokens.refused(token)
            raise

    async def _log_in(self) -> AccessToken:
        account = self._account
        request = requests.login(account.identity_url, account.email, account.key)
        try:
            # No variable holds the answer: tracebacks with locals would show the token.
            return read_grant(await self._channel.ask(request, account.key, "login"), self._now())
        except CopyleaksError as error:
            error.login = True
            if isinstance(error, BadResponse):
                error.body = b""  # may contain a token,
                raise error.with_traceback(None) from None  # and so may the locals of its frames
            raise


def read_grant(body: bytes, now: float) -> AccessToken:
    """Parse the answer to a login; its two times have names with a leading dot (login page).

    Raises:
        BadResponse: it has no token.
    """
    try:
        fields = decode(body)
    except NotJson as error:
        raise BadResponse("the login's answer is not JSON") from error
    token = fields.get("access_token") if isinstance(fields, dict) else None
    if not isinstance(token, str) or not re.fullmatch(ONE_WORD, token):
        raise BadResponse("the login's answer holds no token")
    issued, expires = _time(fields.get(".issued")), _time(fields.get(".expires"))
    if expires is None:
        return AccessToken(token, now + LIFE)
    # Relative to the server's clock, in case ours differs.
    return AccessToken(token, expires if issued is None else now + (expires - issued))


def _time(value: object) -> float | None:
    """Seconds since 1970 of a .NET round-trip time: 7 digits, `Z` or an offset."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
