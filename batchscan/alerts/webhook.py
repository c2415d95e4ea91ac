"""The webhook target: a signed HTTP POST, without following redirects."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

import aiohttp
import yarl

from batchscan import version
from batchscan.alerts.interface import DeliveryFailure, RetryPolicy, secret_of
from batchscan.copyleaks.error_table import clean, read_details, retry_after
from batchscan.copyleaks.proxies import proxies_of_environment
from batchscan.errors import UsageError
from batchscan.settings import Alerts, Secret
from batchscan.util.escaping import printable

SECONDS = 10.0
MAX_READ = 4_096  # bytes of an answer
_TOKEN = 5  # characters that one has at least
# The target can be tried again: too slow, too early, too often.
_AGAIN = frozenset({408, 425, 429})
# The target has understood the message and refuses it.
_NOT_THIS_ONE = frozenset({400, 413, 422})


def open_targets(
    alerts: Alerts, environ: Mapping[str, str], now: Callable[[], float]
) -> Iterator[WebhookTarget]:
    """The target that settings name.

    Raises:
        UsageError: its secret is missing, or signs for nothing.
    """
    url, variable = alerts.webhook.url, alerts.webhook.secret_env
    if url is None:
        raise UsageError("alerts.webhook.secret_env: it needs alerts.webhook.url")
    secret = None if variable is None else secret_of("alerts.webhook.secret_env", variable, environ)
    yield WebhookTarget(url, secret, now)


class WebhookTarget:
    """Posts messages to a URL.

    Args:
        url: the address.
        secret: the key for signing.
        now: returns seconds since 1970.
    """

    name = "webhook"
    seconds = SECONDS

    def __init__(
        self, url: str, secret: Secret | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._url = yarl.URL(url, encoded=url.isascii())  # as it is: it may hold a token
        self._secret = secret
        self._proxy = proxies_of_environment()(url)
        self._now = now

    async def send(self, message_id: str, body: bytes) -> DeliveryFailure | None:
        """Post one message; any 2xx means success."""
        try:
            async with (
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
                ) as session,
                session.post(
                    self._url,
                    data=body,
                    headers=self._headers(message_id, body),
                    allow_redirects=False,
                    proxy=self._proxy,
                ) as response,
            ):
                if response.status // 100 == 2:  # noqa: PLR2004 - as RFC 9110 has it
                    return None
                return self._refused(response.status, response.headers, await _read(response))
        except aiohttp.ClientConnectorCertificateError:
            return DeliveryFailure(
                f"the certificate of {self._host} cannot be trusted", RetryPolicy.NEXT_RUN
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return DeliveryFailure(f"no answer from {self._host}: {_why(error)}")

    @property
    def _host(self) -> str:
        return printable(urlsplit(str(self._url)).netloc)

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        headers = {
            "User-Agent": version.user_agent(),
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Idempotency-Key": message_id,
        }
        if self._secret is not None:
            digest = hmac.new(os.fsencode(self._secret.reveal()), body, hashlib.sha256).hexdigest()
            headers["X-Batchscan-Signature"] = f"sha256={digest}"
        return headers

    def _hidden(self) -> list[str]:
        """Parts of the address and the secret to hide in echoed text, the longest first."""
        pieces = re.split(r"[/?&=]", self._url.raw_path_qs)
        words = {*pieces, *map(unquote, pieces), self._secret.reveal() if self._secret else ""}
        return sorted((word for word in words if len(word) >= _TOKEN), key=len, reverse=True)

    def _refused(self, status: int, headers: Mapping[str, str], answer: bytes) -> DeliveryFailure:
        reason = read_details(status, answer, self._hidden()).message
        what = f"HTTP {status} from {self._host}{f': {reason}' if reason else ''}"
        if status // 100 == 3:  # noqa: PLR2004 - as above
            return DeliveryFailure(
                f"HTTP {status} from {self._host}: redirects are not followed", RetryPolicy.NEXT_RUN
            )
        if status in _AGAIN or status // 100 == 5:  # noqa: PLR2004 - as above
            return DeliveryFailure(
                what, after=retry_after(headers.get("Retry-After"), self._now()) or 0.0
            )
        return DeliveryFailure(
            what, RetryPolicy.NEXT_MESSAGE if status in _NOT_THIS_ONE else RetryPolicy.NEXT_RUN
        )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer; that it broke off says nothing new."""
    try:
        return await response.content.read(MAX_READ)
    except aiohttp.ClientPayloadError:
        return b""


def _why(error: BaseException) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up"  # its own message may be half an answer
    return clean(str(getattr(error, "strerror", None) or "")) or type(error).__name__
