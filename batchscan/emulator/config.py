"""The configuration of an emulator: the vendor's documented rules, and options for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from batchscan.emulator.bodies import VendorMatch
from batchscan.emulator.faults import Fault
from batchscan.settings.units import Rate

Duplicate = Literal["conflict", "replay", "rescan"]


@dataclass(frozen=True, slots=True)
class LoginLimit:
    """The limit on logins of an e-mail address, and the penalty for exceeding it."""

    requests: int = 12
    period: float = 900.0  # seconds
    block: float = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """The configuration of an emulator.

    The defaults are the vendor's documentation (login, rate limits, technical specifications,
    image plagiarism response); what it leaves open is marked "assumed".
    """

    web: Path | None = None  # the folder that is "the internet"; None: an empty one
    sites: bool = False  # each folder in it is a site: URLs begin with its name, not with ours
    # For programs: gives the copies of a picture by its SHA-256, and nothing is searched.
    copies: Callable[[str], Sequence[VendorMatch]] | None = None
    search: bool = True  # False answers "no match" at once, for load tests
    port: int = 0  # 0: any free one
    rates: tuple[Rate, ...] = field(default=(Rate(10, 1.0),))  # of check and credits together
    rates_per_host: tuple[Rate, ...] = ()  # of each address that asks, beside those of the account
    retry_after: bool = True  # whether a 429 says when to come back; assumed
    login_limit: LoginLimit = field(default=LoginLimit())
    token_life: float = 48 * 3600.0  # seconds
    revoke_on_login: bool = False  # assumed
    duplicate: Duplicate = "replay"  # what a scan id already used gives; assumed
    credits: int = 1_000_000  # the balance at the start
    credits_per_image: int = 1  # assumed
    # For programs: what a check costs, by the number of those that were charged before it.
    price_of: Callable[[int], int] | None = None
    latency: float = 0.0  # seconds that every check takes
    max_bytes: int = 20_000_000  # a file of this size is too large already
    max_pixels: int = 75_000_000  # a picture of this size still passes
    faults: tuple[Fault, ...] = ()
    journal_length: int = 1_000_000  # entries kept; the oldest are dropped
    clock: Callable[[], float] = time.monotonic  # of windows, tokens and faults
    wall_clock: Callable[[], float] = time.time  # of the times in answers
