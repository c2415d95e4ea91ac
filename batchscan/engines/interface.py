"""The steps that an engine does; everything that decides or remembers stays in the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from batchscan.images.portrait import Portrait
from batchscan.model import Candidate, Image, NotSendable
from batchscan.replies import Busy, Reply, Trouble


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What a report says of a cluster."""

    workers: int  # that took part
    hosts: int  # that they ran on
    lost: tuple[str, ...]  # addresses of those that vanished, the first of them


class Engine(Protocol):
    """Inspects files and uploads pictures, somewhere."""

    @property
    def logins(self) -> int:
        """Logins of this run."""
        ...

    @property
    def cluster(self) -> ClusterFacts | None:
        """The cluster it works on; None on this machine alone."""
        ...

    @property
    def bytes_in_flight(self) -> int:
        """Bytes of pictures that a run may have in hand at once."""
        ...

    async def inspect(self, candidate: Candidate) -> Image | NotSendable:
        """Read, hash and judge one file; trouble with the file is the result, not an exception."""
        ...

    async def make_sendable(self, image: Image, candidate: Candidate) -> Image | NotSendable:
        """Make what is sent for a picture; a new `Image`, which the other methods then want.

        Trouble with the file is the result. What is given back is to be released, too.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def portray(self, image: Image) -> Portrait:
        """Make a thumbnail of a picture with matches, and read who made it; never raises."""
        ...

    @property
    def ready(self) -> bool:
        """Whether an upload could start at once: whether there is a token."""
        ...

    async def prepare(self) -> Busy | Trouble | None:
        """Get ready for uploads: log in, once for all that ask; None when that went well.

        Raises:
            AuthRefused: the login was refused.
            Unavailable: the login is not at this address.
            StorageError: answers could not be read on this machine.
        """
        ...

    async def slot(self, image: Image) -> None:
        """Wait until the host that would send a picture may send; at once while it has a slot.

        Raises:
            Unavailable: there is no host any more.
        """
        ...

    async def upload(self, scan_id: str, image: Image, leaving: Callable[[], None]) -> Reply:
        """Send one picture once, under this scan id; `leaving` is called as it leaves.

        Raises:
            AuthRefused: the account may not use the API.
            NoCredits: the account has no credits left.
            Unavailable: the API is not at this address.
        """
        ...

    def release(self, image: Image) -> None:
        """Give back what is kept for a picture: nothing more will be asked about it."""
        ...

    def halt(self) -> None:
        """Let nothing wait any more: the run stops."""
        ...

    async def balance(self) -> int | None:
        """Credits left on the account, or None where the service would not say."""
        ...

    async def aclose(self) -> None:
        """Give back connections, threads and child processes."""
        ...
