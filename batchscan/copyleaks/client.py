"""The vendor's API as three calls: log in, check a picture, ask for the balance."""

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
from batchscan.copyleaks.transport import Transport


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """Whose account, and at which addresses."""

    api_url: str
    identity_url: str
    email: str
    key: str = field(repr=False)


class CopyleaksClient:
    """Asks the vendor's API with one shared token, renewed once when it is refused."""

    def __init__(
        self, account: ApiAccount, transport: Transport, token_file: Path, now: Callable[[], float]
    ) -> None:
        """Prepare; `now` gives seconds since 1970."""
        self._account = account
        self._channel = ApiChannel(account.api_url, transport, now)
        self._now = now
        bound_to = binding(account.api_url, account.identity_url, account.email, account.key)
        self._tokens = TokenProvider(token_file, bound_to, self._log_in, now)

    @property
    def server_time(self) -> float | None:
        """Seconds since 1970 by the last answer that said so."""
        return self._channel.server_time

    @property
    def logins(self) -> int:
        """Logins of this process."""
        return self._tokens.logins

    @property
    def ready(self) -> bool:
        """Whether there is a token in memory, so that a check would start at once."""
        return self._tokens.ready

    async def login(self) -> None:
        """Make sure that there is a token, by logging in where none is kept.

        Raises:
            CopyleaksError: the login failed.
        """
        await self._tokens.token()

    async def token(self) -> SecretStr:
        """The token, for whoever sends with it.

        Raises:
            CopyleaksError: the login failed.
        """
        return await self._tokens.token()

    def refused(self, token: str) -> None:
        """The service would not take this token any more: the next call will log in anew."""
        self._tokens.refused(token)

    async def check(
        self, scan_id: str, form: Multipart, leaving: Callable[[], None] | None = None
    ) -> Checked:
        """Send one picture once; paid when it is answered, but for the sandbox.

        Args:
            scan_id: the id that the form was made for.
            form: the picture, by `requests.check_form`.
            leaving: called when the first byte leaves.

        Raises:
            TokenRefused: the next call will log in anew.
            CopyleaksError: as its tree says.
        """
        token = await self._tokens.token()
        try:
            return await self._channel.check(scan_id, form, token, leaving)
        except TokenRefused:
            self._tokens.refused(token)
            raise

    async def credits(self) -> int:
        """The account's balance.

        Raises:
            CopyleaksError: as its tree says.
        """
        try:
            return await self._credits()
        except (TokenRefused, OtherAnswer):  # now with another token, over another connection
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
            # No variable holds the answer: a failing test would show it, and it may hold a token
            return read_grant(await self._channel.ask(request, account.key, "login"), self._now())
        except CopyleaksError as error:
            error.login = True
            if isinstance(error, BadResponse):
                error.body = b""  # half of it may be a token,
                raise error.with_traceback(None) from None  # and so may what its frames hold
            raise


def read_grant(body: bytes, now: float) -> AccessToken:
    """Read the login's answer; its two times begin with a dot (the vendor's login page).

    Raises:
        BadResponse: there is no token in it.
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
    # By the server's own clock, in case ours differs.
    return AccessToken(token, expires if issued is None else now + (expires - issued))


def _time(value: object) -> float | None:
    """Seconds since 1970 of a .NET round-trip time: 7 digits, `Z` or an offset."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
