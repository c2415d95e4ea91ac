"""What the summary says that `--renditions cover` saves, held to what it would really save."""

from __future__ import annotations

import re

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import AnswerInstead
from batchscan.report.text import summary
from tests.support.clocks import DAY, LaterClock
from tests.support.photographs import encoded, photograph, resized
from tests.support.pictures import tree

WIDTHS = (400, 320, 240)
SENTENCE = re.compile(
    r"([\d,]+) of ([\d,]+) pictures? (?:is a version of another|are versions of others);"
    r" `--renditions cover` saves up to ([\d,]+) credits?( \([^)]+\))?\."
)
REPORT, COVER = {"renditions": "report"}, {"renditions": "cover"}


def family(seed: int) -> dict[str, bytes]:
    original = photograph(seed, (400, 300))
    return {f"{seed}-{width}.jpg": encoded(resized(original, width)) for width in WIDTHS}


def text(report) -> str:
    return " ".join(summary(report, "").split())


def said(report) -> tuple[int, ...] | None:
    """Versions, pictures and credits, as the summary says them."""
    found = SENTENCE.search(text(report))
    return (
        None if found is None else tuple(int(each.replace(",", "")) for each in found.groups()[:3])
    )


async def saved(bench, *, day: float = 0, scan=None, **changes) -> tuple[int, int]:
    """What a dry run says that is saved; and the difference between one that covers and it."""
    scan = scan or {}
    dry = await bench.scan(LaterClock(day), scan=REPORT | scan, dry_run=True, **changes)
    cover = await bench.scan(LaterClock(day), scan=COVER | scan, dry_run=True, **changes)
    words = said(dry.report)
    assert dry.report.files.renditions_credits == (words[2] if words else 0)
    return (
        words[2] if words else 0,
        dry.report.credits.expected - cover.report.credits.expected,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "new", "changes"),
    [
        ([], {}, {}),
        ([REPORT], {}, {}),  # what is answered saves nothing any more
        ([REPORT], {}, {"rehash": True}),
        ([REPORT], {}, {"force": True}),
        ([REPORT], {}, {"day": 40, "scan": {"rescan_after": 30 * DAY}}),
        ([REPORT], family(3), {}),
        ([COVER], {}, {}),
        ([COVER], family(3) | {"late.jpg": encoded(resized(photograph(1, (400, 300)), 360))}, {}),
        ([COVER], {}, {"day": 40, "scan": {"rescan_after": 30 * DAY}}),
    ],
    ids=["new", "known", "rehash", "force", "rescan", "more", "covered", "late", "covered rescan"],
)
async def test_savings_are_the_difference_between_two_plans(bench, before, new, changes):
    tree(bench.images, family(1) | family(2))
    for scan in before:
        await bench.scan(scan=scan)
    tree(bench.images, new)

    words, difference = await saved(bench, **changes)

    assert words == difference


@pytest.mark.parametrize("price", [1, 2])
async def test_savings_are_what_the_versions_cost_and_cover_would_not(bench_with, price):
    async def scan(mode: str):
        async with bench_with(credits_per_image=price) as bench:
            tree(bench.images, family(1) | {"9.jpg": encoded(photograph(9, (300, 200)))})
            ran = await bench.scan(scan={"renditions": mode}, spend={"credit_price": "0.05 EUR"})
            return ran.report

    every, one = await scan("report"), await scan("cover")

    assert said(every) == (2, 4, every.credits.charged - one.credits.charged)
    money = f"{0.05 * 2 * price:.2f} EUR"
    assert f"saves up to {2 * price} credits ({money})." in text(every)


async def test_mixed_prices_are_counted_as_charged(bench_with):
    async with bench_with(price_of=lambda number: 1 if number < 2 else 5) as bench:
        tree(bench.images, family(1))
        ran = await bench.scan(pace={"concurrency": 1})

        costs = [line.credits for line in ran.lines.values()]
        sent_for_all = ran.lines["1-400.jpg"].credits
        assert said(ran.report) == (2, 3, sum(costs) - sent_for_all)


async def test_one_version_saves_one_credit(bench):
    tree(bench.images, dict(list(family(1).items())[:2]))

    ran = await bench.scan()

    assert (
        "1 of 2 pictures is a version of another; `--renditions cover` saves up to 1 credit."
        in (text(ran.report))
    )


@pytest.mark.parametrize("answer", [AnswerInstead(status=413), AnswerInstead(status=415, code=10)])
async def test_what_is_refused_is_not_counted(bench, answer):
    tree(bench.images, family(1))
    bench.emulator.faults = (Fault(route="check", action=answer, file_name="1-400.jpg"),)

    ran = await bench.scan()

    assert said(ran.report) == (1, 3, 1), "the others are versions of one another"
    assert ran.report.credits.charged == 2


@pytest.mark.parametrize("dry_run", [True, False])
async def test_the_sandbox_saves_no_credits(bench, dry_run):
    tree(bench.images, family(1))

    ran = await bench.scan(api={"sandbox": True}, dry_run=dry_run)

    assert (
        "2 of 3 pictures are versions of others; `--renditions cover` does not ask about them."
        in (text(ran.report))
    )
    assert ran.report.files.renditions_credits == 0


@pytest.mark.parametrize(
    "changes",
    [{"scan": {"check": "fast"}}, {"scan": {"renditions": "ask"}}, {"spend": {"max_credits": 1}}],
    ids=["fast", "ask", "a budget that ends the run"],
)
async def test_no_versions_are_reported_where_they_are_unknown(bench, changes):
    tree(bench.images, family(1))

    for dry_run in (True, False):
        ran = await bench.scan(dry_run=dry_run, **changes)
        assert ran.report.files.renditions is None
        assert ran.report.files.renditions_credits is None
        assert "version" not in text(ran.report)
