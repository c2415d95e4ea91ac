"""Access control: only the user's browser in which the address was opened.

Listening on loopback keeps out neither other users of this machine nor other web pages, which can
send requests here, even under their own name by DNS rebinding.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from aiohttp import web

TOKEN: Final = "token"  # noqa: S105 - the name of the field
_SAFE_METHODS: Final = ("GET", "HEAD")
_SAME_ORIGIN: Final = "same-origin"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`, by which browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Else Chromium looks up the names of all hosts that a page links to.
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "DENY",
}
"""The headers of every response."""


class RequestRefused(Exception):
    """A refused request; the message is for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Gate:
    """Checks the one-time token that opens the page, and the session that it starts."""

    def __init__(self, port: int) -> None:
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._session = secrets.token_urlsafe(32)
        self._token: str | None = secrets.token_urlsafe(32)
        # Cookies of one host are shared by all its ports, so the port is in the name.
        self.cookie = f"batchscan_review_{port}"
        self.url = f"http://{self._hosts[0]}/?{TOKEN}={self._token}"

    def check(self, request: web.Request) -> bool:
        """Refuse unauthorized requests; returns whether the request has the token.

        Raises:
            RequestRefused: it comes from another origin, or has no session.
        """
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise RequestRefused(421, f"This page is at http://{self._hosts[0]}/ only.")
        if request.method not in _SAFE_METHODS:
            self._refuse_other_origins(request, hosts[0])
        if self._has_session(request):
            return False
        if self._takes_token(request):
            return True
        raise RequestRefused(
            403,
            "The address that batchscan prints opens this page once, in one browser. It was used "
            "already, or this is not the address: stop `batchscan review` and start it again.",
        )

    def enter(self) -> web.Response:
        """Start the session of the browser with the token, by a cookie."""
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self.cookie, self._session, path="/", httponly=True, samesite="Strict")
        return response

    def _refuse_other_origins(self, request: web.Request, host: str) -> None:
        """Let only our own pages send forms.

        Sec-Fetch-Mode does not help: forms of other pages have `navigate`, too.
        """
        site = request.headers.getall("Sec-Fetch-Site", [])
        if site:
            ours = site == [_SAME_ORIGIN]
        else:  # an old browser
            ours = request.headers.getall("Origin", []) == [f"http://{host}"]
        if not ours:
            raise RequestRefused(
                403, "This request came from another page, and nothing was changed."
            )

    def _has_session(self, request: web.Request) -> bool:
        return _equal(request.cookies.get(self.cookie, ""), self._session)

    def _takes_token(self, request: web.Request) -> bool:
        if self._token is None or request.method != "GET" or request.path != "/":
            return False
        if not _equal(request.query.get(TOKEN, ""), self._token):
            return False
        self._token = None
        return True


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())
