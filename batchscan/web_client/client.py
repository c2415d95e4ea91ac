"""Fetching an address, with rate limits, robots.txt, redirects and size limits."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from batchscan.pace import Clock, SystemClock
from batchscan.version import user_agent
from batchscan.web_client import robots
from batchscan.web_client.addresses import is_public
from batchscan.web_client.challenges import is_challenge
from batchscan.web_client.connect_to import ConnectTo
from batchscan.web_client.exchange import RequestParameters, Route, TimeBudget, exchange
from batchscan.web_client.fetch_results import Failure, FailureKind, Fetched, FetchError, Hop
from batchscan.web_client.host_pace import HostPace
from batchscan.web_client.inflate import ACCEPTED, decode_body
from batchscan.web_client.lookup import Lookup, Names, system_lookup
from batchscan.web_client.robots import Robots
from batchscan.web_client.targets import Target, redirected, target_of

MAX_PICTURE: Final = 20_000_000
"""Bytes of a picture, as transferred and unpacked."""

MAX_PAGE: Final = 5_000_000
"""Bytes of a page, the same way."""

MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_ORIGINS: Final = 256  # whose robots.txt are remembered
_LOCKS: Final = 64
_RECHECK_ROBOTS: Final = 300.0  # seconds after one that could not be had
_IN_THREAD: Final = 65_536  # bytes that are unpacked beside the loop


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How long things may take."""

    seconds: float = 30.0  # of exchanges in all, for one address
    pause: float = 2.0  # seconds between two requests to one host


@dataclass(frozen=True, slots=True)
class _CachedRobots:
    """The cached robots.txt of an origin."""

    rules: Robots | None  # None: it could not be had
    error: FetchError | None
    until: float


class WebClient:
    """Fetches addresses concurrently, one at a time for each host.

    Args:
        connect_to: exceptions from where addresses lead to.
        limits: of time.
        clock: for pauses, and for when something was asked.
        lookup: from names to addresses.
        stop: when set, `get` begins no request any more.
    """

    def __init__(
        self,
        *,
        connect_to: ConnectTo | None = None,
        limits: FetchLimits | None = None,
        clock: Clock | None = None,
        lookup: Lookup = system_lookup,
        stop: asyncio.Event | None = None,
    ) -> None:
        self._connect_to = connect_to or ConnectTo()
        self._limits = limits or FetchLimits()
        self._clock = clock or SystemClock()
        self._names = Names(lookup)
        self._pace = HostPace(self._limits.pause, self._clock, stop)
        self._robots: OrderedDict[str, _CachedRobots] = OrderedDict()
        self._robots_locks = [asyncio.Lock() for _ in range(_LOCKS)]

    async def get(self, url: str, *, max_bytes: int, accept: str = "*/*") -> Fetched | Failure:
        """Get an address, over its redirects, if robots.txt lets us.

        Args:
            url: from outside; nothing about it is trusted.
            max_bytes: of the body, as transferred and decoded.
            accept: the header's value.

        Raises:
            Stopped: the client was stopped before the response was complete.
        """
        hops: list[Hop] = []
        try:
            await self._follow(url, self._parameters(max_bytes, accept), hops)
            return Fetched(url, tuple(hops), await _body_of(hops[-1], max_bytes))
        except FetchError as error:
            if error.hop is not None:
                hops.append(error.hop)
            return Failure(url, error.kind, error.detail, tuple(hops))

    async def _follow(self, url: str, parameters: RequestParameters, hops: list[Hop]) -> None:
        budget = TimeBudget(self._limits.seconds)
        target: Target | None = target_of(url)
        while target is not None:
            if len(hops) > MAX_REDIRECTS:
                raise FetchError(FailureKind.REDIRECTS, f"more than {MAX_REDIRECTS} redirects")
            await self._check_robots(target, budget)
            hops.append(await self._ask(target, parameters, budget))
            target = _next(target, hops[-1])
        if is_challenge(hops[-1]):
            detail = f"a challenge for browsers (HTTP {hops[-1].status})"
            raise FetchError(FailureKind.CHALLENGE, detail)

    def _parameters(
        self, max_bytes: int, accept: str, *, truncates: bool = False
    ) -> RequestParameters:
        headers = {"User-Agent": user_agent(), "Accept": accept, "Accept-Encoding": ACCEPTED}
        return RequestParameters(headers, max_bytes, truncates)

    async def _ask(self, target: Target, parameters: RequestParameters, budget: TimeBudget) -> Hop:
        """One exchange in its host's turn."""
        async with self._pace.turn(target.site):
            with budget.spending() as seconds:
                try:
                    async with asyncio.timeout(seconds):
                        route = await self._route(target)
                        return await exchange(target, route, parameters, self._clock.wall)
                except TimeoutError:
                    raise budget.timed_out() from None

    async def _route(self, target: Target) -> Route:
        """Resolve a target to the addresses to connect to.

        Raises:
            FetchError: it has no public address.
        """
        elsewhere = self._connect_to.lookup(target.host, target.port)
        if elsewhere is not None:
            host, port = elsewhere
            exempt = frozenset(await self._names.addresses_of(host, port))

            def permits(address: str, to: int) -> bool:
                return address in exempt and to == port

            return Route(tuple(exempt), port, permits, is_exception=True)
        if not target.has_usual_port:
            raise FetchError(
                FailureKind.ADDRESS, f"port {target.port}: only ports 80 and 443 are used"
            )
        resolved = await self._names.addresses_of(target.host, target.port)
        addresses = [address for address in resolved if is_public(address)]
        if not addresses:
            named = f" ({', '.join(resolved[:3])})" if target.host not in resolved else ""
            raise FetchError(
                FailureKind.ADDRESS,
                f"{target.host} is not a public address{named}: not connected to",
            )
        return Route(addresses, target.port, lambda address, _: is_public(address))

    async def _check_robots(self, target: Target, budget: TimeBudget) -> None:
        cached = await self._robots_of(target, budget)
        if cached.error is not None:
            raise FetchError(cached.error.kind, cached.error.detail)
        if cached.rules is not None and not cached.rules.allows(target.url.raw_path_qs):
            raise FetchError(FailureKind.ROBOTS, f"the robots.txt of {target.host} forbids it")

    async def _robots_of(self, target: Target, budget: TimeBudget) -> _CachedRobots:
        """An origin's robots.txt; concurrent callers share one request."""
        origin = target.origin
        number = int.from_bytes(hashlib.blake2s(origin.encode(), digest_size=2).digest(), "big")
        async with self._robots_locks[number % _LOCKS]:
            cached = self._robots.get(origin)
            if cached is None or cached.until < self._clock.monotonic():
                cached = self._robots[origin] = await self._get_robots(target, budget)
            self._robots.move_to_end(origin)
            if len(self._robots) > _MAX_ORIGINS:
                self._robots.popitem(last=False)
            return cached

    async def _get_robots(self, target: Target, budget: TimeBudget) -> _CachedRobots:
        """RFC 9309: what is not there allows everything, what fails allows nothing."""
        parameters = self._parameters(robots.MAX_BYTES, "text/plain, */*;q=0.1", truncates=True)
        later = self._clock.monotonic() + _RECHECK_ROBOTS
        at: Target | None = target_of(f"{target.origin}/robots.txt")
        requests = 0
        try:
            while at is not None and requests <= MAX_REDIRECTS:
                requests += 1
                hop = await self._ask(at, parameters, budget)
                at = _next(at, hop)
                if at is None:
                    return await _understood(hop, later)
        except FetchError as error:
            return _CachedRobots(None, error, later)
        return _CachedRobots(
            Robots(), None, float("inf")
        )  # redirects without end: as if it were not there


def _next(target: Target, hop: Hop) -> Target | None:
    """The target of a redirect; None if the response is final."""
    location = hop.location
    if hop.status not in _REDIRECTS or not location:
        return None
    return redirected(target, location)


async def _understood(hop: Hop, later: float) -> _CachedRobots:
    if hop.status == 429 or hop.status >= 500 or is_challenge(hop):  # noqa: PLR2004 - HTTP's
        detail = f"its robots.txt cannot be fetched: HTTP {hop.status}"
        kind = FailureKind.CHALLENGE if is_challenge(hop) else FailureKind.ROBOTS
        return _CachedRobots(None, FetchError(kind, detail), later)
    if hop.status // 100 != 2:  # noqa: PLR2004 - the same
        return _CachedRobots(Robots(), None, float("inf"))
    body = await _decoded(hop, robots.MAX_BYTES)
    rules = await asyncio.to_thread(Robots.read, body.decode("utf-8", "replace"))
    return _CachedRobots(rules, None, float("inf"))


async def _body_of(hop: Hop, limit: int) -> bytes:
    """A body decoded; of an error page that cannot be, as it came: its status is what counts."""
    try:
        return await _decoded(hop, limit)
    except FetchError:
        if hop.status // 100 == 2:  # noqa: PLR2004 - HTTP's
            raise
        return hop.body


async def _decoded(hop: Hop, limit: int) -> bytes:
    encoding = hop.listed("content-encoding")
    if not encoding or not hop.complete:
        return hop.body
    if len(hop.body) < _IN_THREAD:
        return decode_body(hop.body, encoding, limit)
    return await asyncio.to_thread(decode_body, hop.body, encoding, limit)
