"""The account of an emulator: logins, tokens, rate limit and credits."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from batchscan.emulator import bodies
from batchscan.emulator.bodies import HttpReply
from batchscan.emulator.config import EmulatorConfig
from batchscan.settings.units import Rate

_FIELDS = ("email", "key")


class EmulatedAccount:
    """Stores issued tokens and the balance; any e-mail address and key can log in."""

    def __init__(self, config: EmulatorConfig) -> None:
        self.balance = config.credits
        self._charges = 0  # checks that were paid for
        self._config = config
        self._tokens: dict[str, float] = {}  # when each ends, on the clock
        self._windows = Windows(config.rates, config.clock)
        self._hosts: dict[str, Windows] = {}
        self._logins: dict[str, _Logins] = {}
        self._given = 0

    def login(self, body: bytes) -> HttpReply:
        """Answer a login with a token, a 400 or a 429 (login page)."""
        fields = _decoded(body)
        missing = [name for name in _FIELDS if not _is_text(fields.get(name))]
        if missing:
            return bodies.json_reply(
                400, {name.title(): [f"The {name} field is required."] for name in missing}
            )
        email = fields["email"].lower()
        if email not in self._logins:
            self._logins[email] = _Logins(self._config)
        wait = self._logins[email].wait()
        if wait is not None:
            reply = bodies.json_reply(429, {"error": "Rate limit exceeded"})
            return self._limited(reply, wait)
        return self._new_token()

    def admit(self, authorization: str | None, host: str) -> HttpReply | None:
        """Check a request's token and count it in all windows; returns the error, or None."""
        scheme, _, token = (authorization or "").partition(" ")
        ends = self._tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if ends is None or ends <= self._config.clock():
            return bodies.problem(401, "Unauthorized")
        wait = self._windows.wait() or self._windows_of(host).take()
        if wait is None:
            self._windows.take()
            return None
        return self._limited(bodies.error(429, None, "Too many requests."), wait)

    def _windows_of(self, host: str) -> Windows:
        if host not in self._hosts:
            self._hosts[host] = Windows(self._config.rates_per_host, self._config.clock)
        return self._hosts[host]

    def charge(self) -> int | HttpReply:
        """Charge one check; returns its price, or a 402."""
        price_of = self._config.price_of
        price = price_of(self._charges) if price_of else self._config.credits_per_image
        if self.balance >= price:
            self.balance -= price
            self._charges += 1
            return price
        if self.balance == 0:
            return bodies.error(402, 17, "You have no credits left.")
        return bodies.error(402, 13, f"{price} credits are needed; you have {self.balance}.")

    def revoke_tokens(self) -> None:
        """Revoke all tokens issued so far."""
        self._tokens.clear()

    def _new_token(self) -> HttpReply:
        if self._config.revoke_on_login:
            self._tokens.clear()
        token = secrets.token_urlsafe(48)
        life = self._config.token_life
        self._tokens[token] = self._config.clock() + life
        self._given += 1
        return bodies.token(token, self._config.wall_clock(), life, offset=self._given % 2 == 0)

    def _limited(self, reply: HttpReply, wait: float) -> HttpReply:
        if not self._config.retry_after:
            return reply
        return reply._replace(headers={"Retry-After": str(max(1, -int(-wait // 1)))})


class _Logins:
    """The logins of one e-mail address."""

    def __init__(self, config: EmulatorConfig) -> None:
        self._clock = config.clock
        limit = config.login_limit
        self._block = limit.block
        self._window = Windows((Rate(limit.requests, limit.period),), config.clock)
        self._blocked_until: float | None = None

    def wait(self) -> float | None:
        """Count a login; returns None, or the seconds to wait if it is refused."""
        now = self._clock()
        if self._blocked_until is not None and now < self._blocked_until:
            return self._blocked_until - now
        if self._window.take() is None:
            return None
        self._blocked_until = now + self._block
        return self._block


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


class Windows:
    """Several rate windows that apply at once.

    A refused request is not counted. A request exactly one period after another is outside that
    one's window.
    """

    def __init__(self, rates: Iterable[Rate], clock: Callable[[], float]) -> None:
        self._logs = [(rate, deque[float]()) for rate in rates]
        self._clock = clock

    def take(self) -> float | None:
        """Count a request; returns None, or the seconds to wait if it is refused."""
        wait = self.wait()
        if wait is None:
            now = self._clock()
            for _, log in self._logs:
                log.append(now)
        return wait

    def wait(self) -> float | None:
        """Seconds until a request is accepted; None if it is now."""
        now = self._clock()
        waits = [wait for rate, log in self._logs if (wait := _wait(rate, log, now)) is not None]
        return max(waits, default=None)


def _wait(rate: Rate, log: deque[float], now: float) -> float | None:
    while log and log[0] + rate.period <= now:
        log.popleft()
    if len(log) < rate.requests:
        return None
    return log[0] + rate.period - now if log else rate.period
