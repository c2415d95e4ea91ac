"""The access token, shared by all workers and processes, and stored for later runs.

A token is valid for 48 hours and any number of calls (the vendor's login page). Logins are kept
rare: 12 in 15 minutes are allowed, and one more blocks the account for 5 minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec
from filelock import AsyncFileLock

from batchscan.copyleaks.errors import (
    ConnectionFailed,
    CopyleaksError,
    LoginBudgetSpent,
    RateLimited,
)
from batchscan.copyleaks.secret import SecretStr

LIFE = 48 * 3600.0  # seconds
EARLY = 300.0  # seconds before its expiry at which a token counts as expired
LOGINS, WINDOW = 12, 900.0
BLOCK = 300.0  # after a 429 of the login, at least
MAX_BLOCK = 3600.0  # at most, even if `Retry-After` is longer or the clock was changed

ONE_WORD = r"[\x21-\x7e]+"  # one printable word, so that it cannot end its header


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token from a login."""

    token: str = field(repr=False)
    expires_at: float  # seconds since 1970


class TokenFile(msgspec.Struct, kw_only=True):
    """The content of `token.json`; a damaged file, or that of another account, is ignored."""

    schema: int = 1
    bound_to: str
    access_token: Annotated[str, msgspec.Meta(pattern=rf"\A({ONE_WORD})?\Z")] = ""
    issued_at: float = 0.0
    expires_at: float = 0.0
    logins: list[float] = []
    blocked_until: float = 0.0

    def __repr__(self) -> str:
        return f"<TokenFile with {len(self.logins)} logins>"  # msgspec's own would show the token


def binding(api_url: str, identity_url: str, email: str, key: str) -> str:
    """A hash of the address and account of a token, from which the key cannot be found."""
    text = "\n".join(("batchscan token", api_url, identity_url, email.lower(), key))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class TokenProvider:
    """Provides the token; logs in once for all concurrent callers."""

    def __init__(
        self,
        path: Path,
        bound_to: str,
        login: Callable[[], Awaitable[AccessToken]],
        now: Callable[[], float],
    ) -> None:
        """Store the token in a file.

        Args:
            path: `token.json`; a lock file is beside it.
            bound_to: the `binding` of address and account.
            login: sends one login.
            now: returns seconds since 1970.
        """
        self._path = path
        self._bound_to = bound_to
        self._login = login
        self._now = now
        self._turn = asyncio.Lock()
        self._held = TokenFile(bound_to=bound_to)
        self._refused = ""
        self._reissued_at = -math.inf  # when a login last returned the refused token again
        self._turns = 0  # renewals so far
        self._failed: CopyleaksError | None = None  # how the last one ended
        self.logins = 0  # of this process, as far as they reached the service

    def __repr__(self) -> str:
        return f"<TokenProvider {self._path} {self.logins} logins>"

    @property
    def ready(self) -> bool:
        """Whether the token in memory is valid."""
        return self._good(self._held)

    async def token(self) -> SecretStr:
        """A token that is valid for at least another 5 minutes.

        Raises:
            LoginBudgetSpent: a login now would exceed the vendor's limit.
            CopyleaksError: the login failed.
        """
        if self._good(self._held):
            return SecretStr(self._held.access_token)
        turns = self._turns
        async with self._turn:
            if self._failed is not None and self._turns > turns:
                raise self._failed  # the renewal that we waited for failed
            if not self._good(self._held):
                await self._renew()
        return SecretStr(self._held.access_token)

    def refused(self, token: str) -> None:
        """Drop a token that the service refused.

        A login may return the same token again; requests that left before it are then no reason
        for another one.
        """
        if self._held.access_token not in ("", token):  # an older one was replaced already
            return
        if not 0 <= self._now() - self._reissued_at < EARLY:
            self._refused = token

    async def _renew(self) -> None:
        self._failed = None
        try:
            async with locked(Path(f"{self._path}.lock")):
                self._held = await asyncio.to_thread(self._load)
                if not self._good(self._held):
                    await self._log_in()
        except CopyleaksError as error:
            self._failed = error
            raise
        finally:
            self._turns += 1

    def _good(self, held: TokenFile) -> bool:
        # A token from the future was stored before the clock was set back: its age is not known.
        now = self._now()
        fresh = held.issued_at - EARLY <= now < held.expires_at - EARLY
        return fresh and held.access_token not in ("", self._refused)

    async def _log_in(self) -> None:
        held, now = self._held, self._now()
        held.logins = [at for at in held.logins if now - WINDOW < at <= now]
        self._check_budget(held, now)
        held.logins.append(now)
        await asyncio.to_thread(self._save)  # counted before it is sent
        self.logins += 1
        try:
            grant = await self._login()
        except RateLimited as error:
            error.retry_after = max(BLOCK, error.retry_after or 0.0)
            held.blocked_until = now + min(MAX_BLOCK, error.retry_after)
            await asyncio.to_thread(self._save)
            raise
        except ConnectionFailed as error:
            if not error.reached:  # without a connection it does not count as a login
                held.logins.remove(now)
                self.logins -= 1
                await asyncio.to_thread(self._save)
            raise
        self._keep(grant, now)
        await asyncio.to_thread(self._save)

    def _keep(self, grant: AccessToken, now: float) -> None:
        if grant.token == self._refused:
            self._refused, self._reissued_at = "", now
        held = self._held
        held.access_token = grant.token
        held.issued_at = now
        # A sample of the vendor shows a token that expires when it is issued: ignore that.
        plausible = now + 2 * EARLY < grant.expires_at
        held.expires_at = grant.expires_at if plausible else now + LIFE

    def _check_budget(self, held: TokenFile, now: float) -> None:
        wait, why = 0.0, "the service allows 12 in 15 minutes"
        if len(held.logins) >= LOGINS:
            wait = held.logins[-LOGINS] + WINDOW - now
        blocked = held.blocked_until - now
        if wait < blocked < MAX_BLOCK + 1:  # longer: stored before the clock was set back
            wait, why = blocked, "the service has blocked them for a while"
        if wait > 0:
            error = LoginBudgetSpent(f"no more logins for {wait:.0f} s: {why}", retry_after=wait)
            error.login = True
            raise error

    def _load(self) -> TokenFile:
        """Read the file, and add the logins that could not be written to it."""
        held = self._held
        try:
            loaded = msgspec.json.decode(self._path.read_bytes(), type=TokenFile)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            loaded = TokenFile(bound_to=self._bound_to)
        logins = Counter(loaded.logins) | Counter(held.logins)
        if loaded.bound_to != self._bound_to:
            # Of another account; its logins count: the limit may be by machine.
            loaded = TokenFile(bound_to=self._bound_to)
        loaded.logins = sorted(logins.elements())
        loaded.blocked_until = max(loaded.blocked_until, held.blocked_until)
        return loaded

    def _save(self) -> None:
        """Replace the file atomically. It is a cache: if that fails, memory has to do."""
        with suppress(OSError):
            fd, staged = tempfile.mkstemp(dir=self._path.parent, prefix=".token-")  # mode 0600
            try:
                with open(fd, "wb") as file:
                    # Some file systems keep no modes, and Windows has no such call.
                    with suppress(OSError, AttributeError):
                        os.fchmod(fd, 0o600)  # independent of the umask
                    file.write(msgspec.json.encode(self._held))
                    file.flush()
                    with suppress(OSError):  # if the file is lost, the next run logs in
                        os.fsync(fd)
                os.replace(staged, self._path)
            except OSError:
                os.unlink(staged)
                raise


POLL: Final = 0.05
"""Seconds between two checks of a lock that another process holds."""


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file at `path`.

    If it cannot be locked (a read-only folder, a file system without locks), the block runs without
    a lock: only the sharing is lost.
    """
    # On the loop: locking is one system call that never waits, and a cancelled task leaves no
    # thread behind that would take the lock later.
    lock = AsyncFileLock(path, mode=0o600, thread_local=False, run_in_executor=False)
    try:
        with suppress(OSError, NotImplementedError):
            os.makedirs(path.parent, mode=0o700, exist_ok=True)
            await lock.acquire(poll_interval=POLL)
        yield
    finally:
        await lock.release()
