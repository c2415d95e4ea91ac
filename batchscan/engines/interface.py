"""The two steps that an engine does; everything that decides or remembers stays in the run."""

from __future__ import annotations

from typing import Protocol

from batchscan.model import Candidate, Image, NotSendable, Reply


class Engine(Protocol):
    """Inspects files and uploads pictures, somewhere."""

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file; trouble with the file is the result, not an exception."""
        ...

    async def upload(self, scan_id: str, image: Image) -> Reply:
        """Send one picture once, under this scan id.

        Raises:
            AuthRefused: the login was refused, or a fresh token was.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address, or the login stayed away.
        """
        ...

    async def balance(self) -> int | None:
        """Credits left on the account, or None where the service would not say."""
        ...

    async def aclose(self) -> None:
        """Give back connections, threads and child processes."""
        ...
