"""The one access token: shared by all workers and processes, and by the runs to come.

A token lives 48 hours and may be used for any number of calls (the vendor's login page). Logins
are rare on purpose: 12 in 15 minutes are allowed, and one more blocks the account for 5 minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
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
EARLY = 300.0  # a token counts as expired so many seconds before it is
LOGINS, WINDOW = 12, 900.0
BLOCK = 300.0  # after a 429 of the login, at least
MAX_BLOCK = 3600.0  # what is kept of one, whatever `Retry-After` says or the clock does

ONE_WORD = r"[\x21-\x7e]+"  # one printable word, so that it cannot end its header


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a login gave."""

    token: str = field(repr=False)
    expires_at: float  # seconds since 1970


class TokenFile(msgspec.Struct, kw_only=True):
    """`token.json`; a file that is torn, or another account's, counts as none."""

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
    """What a token belongs to, without telling the key."""
    text = "\n".join(("batchscan token", api_url, identity_url, email.lower(), key))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class TokenProvider:
    """Gives the token; logs in once, however many ask."""

    def __init__(
        self,
        path: Path,
        bound_to: str,
        login: Callable[[], Awaitable[AccessToken]],
        now: Callable[[], float],
    ) -> None:
        """Keep the token in a file.

        Args:
            path: `token.json`; a lock file is beside it.
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
        self._turns = 0  # taken so far
        self._failed: CopyleaksError | None = None  # how the last one ended
        self.logins = 0  # of this process, as far as they reached the service

    def __repr__(self) -> str:
        return f"<TokenProvider {self._path} {self.logins} logins>"

    @property
    def ready(self) -> bool:
        """Whether the token in memory is good."""
        return self._good(self._held)

    async def token(self) -> SecretStr:
        """A token that is good for another 5 minutes at least.

        Raises:
            LoginBudgetSpent: a login now would be one too many.
            CopyleaksError: the login failed.
        """
        if self._good(self._held):
            return SecretStr(self._held.access_token)
        turns = self._turns
        async with self._turn:
            if self._failed is not None and self._turns > turns:
                raise self._failed  # it failed while we waited: we had asked for that one too
            if not self._good(self._held):
                await self._renew()
        return SecretStr(self._held.access_token)

    def refused(self, token: str) -> None:
        """The service would not take this token any more."""
        if self._held.access_token in ("", token):  # a straggler's may have been replaced since
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
            held.blocked_until = now + min(MAX_BLOCK, error.retry_after)
            await asyncio.to_thread(self._save)
            raise
        except ConnectionFailed as error:
            if not error.reached:  # an outage must not use up the logins
                held.logins.remove(now)
                self.logins -= 1
                await asyncio.to_thread(self._save)
            raise
        held.access_token = grant.token
        held.issued_at = now
        # A sample of the vendor's shows a token that expires when it is issued: not believed.
        plausible = now + 2 * EARLY < grant.expires_at
        held.expires_at = grant.expires_at if plausible else now + LIFE
        await asyncio.to_thread(self._save)

    def _check_budget(self, held: TokenFile, now: float) -> None:
        wait, why = 0.0, "the service allows 12 in 15 minutes"
        if len(held.logins) >= LOGINS:
            wait = held.logins[-LOGINS] + WINDOW - now
        blocked = held.blocked_until - now
        if wait < blocked < MAX_BLOCK + 1:  # a longer one was kept before the clock was set back
            wait, why = blocked, "the service has blocked them for a while"
        if wait > 0:
            error = LoginBudgetSpent(f"no more logins for {wait:.0f} s: {why}", retry_after=wait)
            error.login = True
            raise error

    def _load(self) -> TokenFile:
        """What the file says, and the logins that could not be written to it."""
        held = self._held
        try:
            loaded = msgspec.json.decode(self._path.read_bytes(), type=TokenFile)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            loaded = TokenFile(bound_to=self._bound_to)
        logins = Counter(loaded.logins) | Counter(held.logins)
        if loaded.bound_to != self._bound_to:
            # Another account's; its logins count all the same: the limit may be the machine's.
            loaded = TokenFile(bound_to=self._bound_to)
        loaded.logins = sorted(logins.elements())
        loaded.blocked_until = max(loaded.blocked_until, held.blocked_until)
        return loaded

    def _save(self) -> None:
        """Replace the file whole. It is a cache: where it cannot be written, memory must do."""
        with suppress(OSError):
            fd, aside = tempfile.mkstemp(dir=self._path.parent, prefix=".token-")  # mode 0600
            try:
                with open(fd, "wb") as file:
                    # Some file systems keep no modes, and Windows has no such call.
                    with suppress(OSError, AttributeError):
                        os.fchmod(fd, 0o600)  # whatever the umask
                    file.write(msgspec.json.encode(self._held))
                    file.flush()
                    with suppress(OSError):  # what cannot be synced may be lost: then one logs in
                        os.fsync(fd)
                os.replace(aside, self._path)
            except OSError:
                os.unlink(aside)
                raise


POLL: Final = 0.05
"""Seconds between two looks at a lock that somebody else holds."""


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file at `path`.

    Where no lock can be had (a read-only folder, a file system without locks) it goes on without:
    what is lost is the sharing.
    """
    # In the loop: taking it is one call of the system that never waits, and a task that is
    # cancelled leaves no thread behind that would take the lock later.
    lock = AsyncFileLock(path, mode=0o600, thread_local=False, run_in_executor=False)
    try:
        with suppress(OSError, NotImplementedError):
            os.makedirs(path.parent, mode=0o700, exist_ok=True)
            await lock.acquire(poll_interval=POLL)
        yield
    finally:
        await lock.release()
