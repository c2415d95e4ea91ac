"""Families: whoever is decided in whatever order, the same ones cover the same."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batchscan.errors import Interrupted
from batchscan.images.judge import Judge
from batchscan.images.rules import Accepted, Rules
from batchscan.ledger.rendition_files import RenditionFile
from batchscan.ledger.rendition_verdicts import Verdicts
from batchscan.model import Candidate, Stat
from batchscan.pace import SystemClock
from batchscan.pipeline.rendition_family import Answered, Member, compare
from batchscan.pipeline.shutdown import Shutdown
from batchscan.rendition_types import Tie
from batchscan.renditions.grouping import Group
from tests.support.photographs import encoded, photograph

ALIKE = Tie(3, 2, "v1")


def file(number: int) -> RenditionFile:
    stat = Stat(1, 0, 0)
    path = f"/pictures/{number}.jpg"
    return RenditionFile(
        Candidate(path, stat), stat, f"{number:064}", "jpeg", 400, 300, False, False, None
    )


def answered(number: int) -> Answered:
    return Answered(file(number), number, number, None, None)


@st.composite
def families(draw: st.DrawFn) -> tuple[list[list[int]], list[bool]]:
    """For each member the earlier ones that it is a version of, and whether it gets an answer."""
    count = draw(st.integers(1, 12))
    ties = [sorted(draw(st.sets(st.integers(0, max(0, n - 1)), max_size=n))) for n in range(count)]
    return ties, draw(st.lists(st.booleans(), min_size=count, max_size=count))


async def decided(ties: list[list[int]], answers: list[bool], seed: int) -> dict[int, int | None]:
    """Who covers whom; None for those that were asked about, decided in an order of the seed's."""
    members = [Member(file(number)) for number in range(len(ties))]
    for member, earlier in zip(members, ties, strict=True):
        member.ties = [(members[other], ALIKE) for other in earlier]
    covers: dict[int, int | None] = {}
    turns = random.Random(seed)

    async def decide(number: int) -> None:
        member = members[number]
        covering = await member.covering()
        for _ in range(turns.randrange(4)):
            await asyncio.sleep(0)
        if covering is None:
            covers[number] = None
            member.settle(answered(number) if answers[number] else None)
        else:
            assert isinstance(covering.answered, Answered)
            covers[number] = covering.answered.picture_id
            member.settle(None)

    order = list(range(len(members)))
    turns.shuffle(order)
    await asyncio.gather(*map(decide, order))
    return covers


@given(families(), st.integers(0, 99))
def test_groups_do_not_depend_on_order_and_only_answered_pictures_cover(family, seed):
    ties, answers = family

    covers = asyncio.run(decided(ties, answers, seed))

    assert covers == asyncio.run(decided(ties, answers, seed + 1)), "the order changes nothing"
    for number, by in covers.items():
        asked = {other for other in ties[number] if covers[other] is None and answers[other]}
        assert by == min(asked, default=None), "the best one that was asked about and answered"


def frames(count: int) -> tuple[Group, dict[int, Member]]:
    """Files of one picture, each with all better ones as its neighbours."""
    judge = Judge(Rules(fingerprints=True))
    try:
        verdict = judge.judge(encoded(photograph(1)), "a.jpg")
    finally:
        judge.close()
    assert isinstance(verdict, Accepted)
    members = {
        number: Member(replace(file(number), fingerprint=verdict.fingerprint))
        for number in range(count)
    }
    return Group(list(members), [list(range(number)) for number in members]), members


async def test_a_run_that_stops_compares_no_more_pictures():
    group, members = frames(5)
    stop = Shutdown(SystemClock())
    stop.request(Interrupted())

    compare(group, members, Verdicts(), stop, counting=False)

    assert not any(member.ties for member in members.values())


async def test_counting_compares_each_version_only_with_the_picture_that_is_sent():
    group, members = frames(5)
    stop = Shutdown(SystemClock())

    compare(group, members, Verdicts(), stop, counting=True)

    ties = [[other for other, _ in member.ties] for member in members.values()]
    assert ties == [[], *([[members[0]]] * 4)]


async def test_a_scan_compares_each_version_with_all_better_ones_as_the_best_may_fail():
    group, members = frames(4)
    stop = Shutdown(SystemClock())

    compare(group, members, Verdicts(), stop, counting=False)

    assert [len(member.ties) for member in members.values()] == [0, 1, 2, 3]
