"""The one access token: shared by all workers and processes, and by the runs to come.

A token lives 48 hours and may be used for any number of calls (the vendor's login page). Logins
are rare on purpose: 12 in 15 minutes are allowed, and one more blocks the account for 5 minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import FileLock

from batchscan.copyleaks.errors import LoginBudgetSpent, RateLimited

LIFE = 48 * 3600.0  # seconds
EARLY = 300.0  # a token counts as expired so many seconds before it is
LOGINS, WINDOW = 12, 900.0
BLOCK = 300.0  # after a 429 of the login


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login gave."""

    token: str
    expires_at: float  # seconds since 1970


class TokenFile(msgspec.Struct, kw_only=True):
    """`token.json`; a file that is torn, or another account's, counts as none."""

    schema: int = 1
    bound_to: str
    access_token: str = ""
    issued_at: float = 0.0
    expires_at: float = 0.0
    logins: list[float] = []
    blocked_until: float = 0.0


def binding(api_url: str, identity_url: str, email: str, key: str) -> str:
    """What a token belongs to, without telling the key."""
    text = "\n".join(("batchscan token", api_url, identity_url, email.lower(), key))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class TokenProvider:
    """Gives the token; logs in once, however many ask."""

    def __init__(
        self,
        path: Path,
        bound_to: str,
        login: Callable[[], Awaitable[Grant]],
        now: Callable[[], float],
    ) -> None:
        """Keep the token in a file.

        Args:
            path: `token.json`; a lock file stands beside it.
            bound_to: the `binding` of address and account.
            login: logs in, once.
            now: seconds since 1970.
        """
        self._path = path
        self._bound_to = bound_to
        self._login = login
        self._now = now
        self._turn = asyncio.Lock()
        self._held = TokenFile(bound_to=bound_to)
        self._refused = ""
        self.logins = 0  # of this process

    def __repr__(self) -> str:
        return f"<TokenProvider {self._path} {self.logins} logins>"

    @property
    def ready(self) -> bool:
        """Whether the token in memory is good."""
        return self._good(self._held)

    async def token(self) -> str:
        """A token that is good for another 5 minutes at least.

        Raises:
            LoginBudgetSpent: a login now would be one too many.
            CopyleaksError: the login failed.
        """
        if self._good(self._held):
            return self._held.access_token
        async with self._turn:
            if not self._good(self._held):
                async with self._locked():
                    self._held = await asyncio.to_thread(self._load)
                    if not self._good(self._held):
                        await self._log_in()
        return self._held.access_token

    def refused(self, token: str) -> None:
        """The service would not take this token any more."""
        self._refused = token

    def _good(self, held: TokenFile) -> bool:
        # A token from the future was stored before the clock was set back: no telling how old.
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
            held.blocked_until = now + error.retry_after
            await asyncio.to_thread(self._save)
            raise
        held.access_token = grant.token
        held.issued_at = now
        # A sample of the vendor's shows a token that expires when it is issued: not believed.
        plausible = now + 2 * EARLY < grant.expires_at
        held.expires_at = grant.expires_at if plausible else now + LIFE
        await asyncio.to_thread(self._save)

    def _check_budget(self, held: TokenFile, now: float) -> None:
        wait = min(held.blocked_until - now, WINDOW)
        if len(held.logins) >= LOGINS:
            wait = max(wait, held.logins[-LOGINS] + WINDOW - now)
        if wait > 0:
            error = LoginBudgetSpent(
                f"no more logins for {wait:.0f} s: the service allows 12 in 15 minutes",
                retry_after=wait,
            )
            error.login = True
            raise error

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Hold the lock between processes; whoever waits finds the other's token afterwards."""
        await asyncio.to_thread(_make_folder, self._path.parent)
        lock = FileLock(f"{self._path}.lock", mode=0o600, thread_local=False)
        await asyncio.to_thread(lock.acquire)
        try:
            yield
        finally:
            lock.release()

    def _load(self) -> TokenFile:
        try:
            loaded = msgspec.json.decode(self._path.read_bytes(), type=TokenFile)
        except (OSError, msgspec.MsgspecError):
            return TokenFile(bound_to=self._bound_to, logins=self._held.logins)
        if loaded.bound_to != self._bound_to:
            # Another account's; its logins count all the same: the limit may be the machine's.
            return TokenFile(bound_to=self._bound_to, logins=loaded.logins)
        return loaded

    def _save(self) -> None:
        """Replace the file whole. It is a cache: where it cannot be written, memory must do."""
        with suppress(OSError):
            fd, aside = tempfile.mkstemp(dir=self._path.parent, prefix=".token-")  # mode 0600
            try:
                with open(fd, "wb") as file:
                    file.write(msgspec.json.encode(self._held))
                    file.flush()
                    os.fsync(fd)
                os.replace(aside, self._path)
            except OSError:
                os.unlink(aside)
                raise


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
