"""Other people's names, addresses and pages in the report: nothing runs, nothing is asked for."""

from __future__ import annotations

import os
from datetime import date

import pytest

from batchscan.emulator import Fault
from batchscan.emulator.fault_actions import Odd, OddBody
from batchscan.model import Provenance
from batchscan.report.html_escaping import cut
from batchscan.report_sections import MatchSummary
from tests.support.hostile import NAMES
from tests.support.match_builders import NEW, STRINGS, hostile, hostile_report, match, picture
from tests.support.pictures import png
from tests.support.report_builders import totals
from tests.support.report_facts import allow_rule, books, domain_count, report

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def benign():
    """A report that has every part that a hostile one has."""
    pictures = [
        picture("/pics/a.jpg", match("https://example.com/a", "https://example.com/1", state=NEW)),
        picture("/pics/b.jpg", match("text", *map(str, range(99))), thumbnail=None),
        picture("/pics/été/c.jpg", match(""), provenance=Provenance("A", "B", "C", "D")),
    ]
    rules = (
        allow_rule("domain example.com", "our own", "me", date(2026, 1, 1), expired=True, covers=0),
    )
    tally = books(scanned=3, failed={"network": 1}, rejected={"corrupt": 1})
    domains = (domain_count("example.com", 1, 1, 0, 1),)
    digest = MatchSummary(totals(pictures), domains=domains, rules=rules)
    roots = tuple(f"/pics/{number}" for number in range(99))
    return report(tally, digest, roots=roots, message="no", advice="yes", partial=True), pictures


async def test_nothing_runs_and_nothing_is_asked_for(opened, written):
    path = written(hostile_report(), hostile())
    async with opened(path) as it:
        page = it.page
        # Whatever waits to be touched is touched.
        await page.evaluate(
            "for (const node of document.querySelectorAll('body *'))"
            " for (const name of ['mouseover', 'mouseenter', 'focus', 'error', 'load', 'toggle'])"
            " node.dispatchEvent(new Event(name, { bubbles: name === 'mouseover' }));"
        )
        for control in ("kind", "state", "decided", "site", "folder", "order"):
            values = await page.locator(f"#{control} option").evaluate_all(
                "all => all.map(o => o.value)"
            )
            for value in values[:30]:
                await page.select_option(f"#{control}", value)
            await page.select_option(f"#{control}", index=0)
        for text in STRINGS[:12]:
            await page.fill("#find", text)
        await page.wait_for_timeout(300)

        assert await page.evaluate("window.canary") is None
        assert await page.evaluate("window.violations") == []
        assert it.requests == [path.as_uri()]
        assert it.troubles == []


async def test_no_string_becomes_an_element_or_an_attribute_of_its_own(opened, written):
    async def parts(it):
        return await it.page.evaluate(
            "[...new Set([...document.querySelectorAll('*')].flatMap("
            "node => [`<${node.localName}>`, ...node.getAttributeNames()]))]"
        )

    async with opened(written(hostile_report(), hostile())) as it:
        found = set(await parts(it))
    async with opened(written(*benign())) as it:
        known = set(await parts(it))

    assert found - known == set()


async def test_links_lead_to_the_web_or_within_the_page_and_send_no_referrer(opened, written):
    async with opened(written(hostile_report(), hostile())) as it:
        links = await it.page.locator("a").evaluate_all(
            "all => all.map(a => [a.protocol, a.getAttribute('href'), a.rel, a.target])"
        )
    outside = [link for link in links if not link[1].startswith("#")]

    assert len(outside) > 50
    assert {(scheme, rel, target) for scheme, _, rel, target in outside} <= {
        (scheme, "noopener noreferrer nofollow", "_blank") for scheme in ("http:", "https:")
    }


async def test_the_highlighted_host_is_the_one_that_the_browser_would_ask(opened, written):
    async with opened(written(hostile_report(), hostile())) as it:
        pairs = await it.page.locator(".url a").evaluate_all(
            "all => all.map(a => [a.host, a.querySelector('b').textContent.toLowerCase()])"
        )

    assert ("evil.example", "evil.example") in map(tuple, pairs)
    for asked, shown in pairs:
        assert asked == shown


async def test_a_script_that_somebody_adds_to_the_file_does_not_run(opened, written):
    path = written(hostile_report(), hostile())
    path.write_bytes(
        path.read_bytes().replace(
            b"<main",
            b"<script>window.canary = 1</script><img src=x onerror='window.canary = 1'>"
            b"<img src='http://127.0.0.1:9/x.png'><style>main { display: none }</style><main",
        )
    )
    async with opened(path) as it:
        await it.page.wait_for_timeout(200)

        assert await it.page.evaluate("window.canary") is None
        assert await it.page.locator("main").is_visible()
        assert len(await it.page.evaluate("window.violations")) == 5
        assert it.answered == [path.as_uri()]


async def test_a_million_characters_are_shown_by_their_ends_and_their_number(opened, written):
    async with opened(written(hostile_report(), hostile())) as it:
        texts = await it.page.locator(".path, .url, .pages, .origin span").all_text_contents()

    assert any("…(1,000,000 characters)…" in text for text in texts)
    assert max(map(len, texts)) < 10_000


async def test_the_report_of_a_scan_of_such_names_with_odd_answers_is_safe_as_well(
    bench_with, opened
):
    first: tuple[OddBody, ...] = ("huge", "unknown_type", "extra_keys")
    faults = (
        *(Fault(route="check", action=Odd(body), nth=n) for n, body in enumerate(first, 1)),
        Fault(route="check", action=Odd("odd_urls")),
    )
    async with bench_with(faults=faults) as bench:
        for number, name in enumerate(NAMES):
            (bench.images / os.fsdecode(name)).write_bytes(png(16, 16, number))
        ran = await bench.scan()
        path = bench.folder / "output" / "latest" / "report.html"
        async with opened(path) as it:
            shown = await it.shown()
            figure = it.page.locator("[data-figure='matches.total']")
            total = await figure.get_attribute("value")
            kinds = await it.page.locator("#kind option").all_text_contents()

    assert total == str(ran.report.matches.total)
    assert ran.report.matches.total > 20_000
    assert sorted(shown) == sorted(cut(os.fsdecode(name)) for name in NAMES)
    assert {kind.partition(" ")[0] for kind in kinds} == {"all", "full", "other"}
    assert it.requests == [path.as_uri()]
    assert it.troubles == []
