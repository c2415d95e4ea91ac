"""The report as its reader uses it: search, filters, order, keys, other screens, paper."""

from __future__ import annotations

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from batchscan.enums import Disposition, MatchKind, MatchState
from batchscan.report import html_pictures
from tests.support.match_builders import (
    DAY,
    GONE,
    NEW,
    NOW,
    hostile,
    hostile_report,
    many,
    match,
    picture,
    report_of,
)
from tests.support.report_facts import books, report

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PARTIAL = MatchKind.PARTIAL
PICTURES = [
    picture(
        "/pics/2024/lisbon/harbour.jpg",
        match("https://cdn.copies.example/harbour.jpg", "https://copies.example/a", state=NEW),
        match("https://mirror.test/harbour.jpg", kind=PARTIAL, disposition=Disposition.REVIEWED),
        match("https://gone.test/harbour.jpg", state=GONE),
        sha256="ab" * 32,
    ),
    picture("/pics/2019/bridge.jpg", match("no address", state=MatchState.RETURNED, domain="")),
    picture(
        "/pics/2024/studio/apples.jpg",
        *(match(f"https://mirror.test/{n}.jpg") for n in range(4)),
        thumbnail=None,
    ),
    picture(
        "/pics/2019/zebra.jpg",
        match("https://mirror.test/zebra.jpg", kind=PARTIAL, first_seen=NOW - DAY),
        match("https://agency.test/zebra.jpg", kind=PARTIAL, disposition=Disposition.ALLOWED),
    ),
]
NAMES = ["harbour.jpg", "bridge.jpg", "apples.jpg", "zebra.jpg"]
MIRRORED = [NAMES[0], *NAMES[2:]]


@pytest_asyncio.fixture(loop_scope="session")
async def reading(opened, written):
    """The report of four pictures, opened."""
    async with opened(written(report_of(PICTURES), PICTURES)) as it:
        yield it


async def test_all_sites_are_shown_at_first_and_the_page_says_so(reading):
    assert await reading.shown() == NAMES
    assert await reading.status() == "4 pictures, 10 matches"
    assert reading.troubles == []


@pytest.mark.parametrize(
    ("words", "names", "status"),
    [
        ("harbour", ["harbour.jpg"], "1 of 4 pictures, 3 of 10 matches"),
        ("HARBOUR copies.example", ["harbour.jpg"], "1 of 4 pictures, 1 of 10 matches"),
        ("copies.example/a", ["harbour.jpg"], "1 of 4 pictures, 1 of 10 matches"),
        ("abababab", ["harbour.jpg"], "1 of 4 pictures, 3 of 10 matches"),
        ("mirror.test", MIRRORED, "3 of 4 pictures, 6 of 10 matches"),
        ("<script>", [], "0 of 4 pictures, 0 of 10 matches"),
    ],
)
async def test_searching_finds_paths_hashes_addresses_and_pages(reading, words, names, status):
    await reading.page.fill("#find", words)
    await reading.page.wait_for_function(
        "want => document.getElementById('status').value === want", arg=status
    )

    assert await reading.shown() == names
    assert await reading.page.locator("#nothing").is_visible() == (not names)


@pytest.mark.parametrize(
    ("control", "value", "names", "matches"),
    [
        ("kind", "partial", ["harbour.jpg", "zebra.jpg"], 3),
        ("state", "gone", ["harbour.jpg"], 1),
        ("state", "returned", ["bridge.jpg"], 1),
        ("decided", "allowed", ["zebra.jpg"], 1),
        ("site", " mirror.test", MIRRORED, 6),
        ("site", " ", ["bridge.jpg"], 1),
        ("folder", "/pics/2024/", ["harbour.jpg", "apples.jpg"], 7),
        ("folder", "/pics/2024/lisbon/", NAMES[:1], 3),
    ],
)  # fmt: skip
async def test_choosing_filters_pictures_and_their_matches(reading, control, value, names, matches):
    await reading.page.select_option(f"#{control}", value)

    assert await reading.shown() == names
    assert await reading.page.locator(".picture .match:visible").count() == matches
    assert f"{matches} of 10 matches" in await reading.status()


async def test_filters_hold_together_and_are_cleared_together(reading):
    await reading.page.select_option("#kind", "partial")
    await reading.page.select_option("#folder", "/pics/2019/")
    await reading.page.select_option("#site", " agency.test")
    assert await reading.shown() == ["zebra.jpg"]
    await reading.page.select_option("#state", "new")
    assert await reading.shown() == []

    await reading.page.click("#clear-too")

    assert await reading.shown() == NAMES
    assert await reading.status() == "4 pictures, 10 matches"


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("worst", ["apples.jpg", "harbour.jpg", "bridge.jpg", "zebra.jpg"]),
        ("path", ["bridge.jpg", "zebra.jpg", "harbour.jpg", "apples.jpg"]),
        ("site", ["bridge.jpg", "harbour.jpg", "apples.jpg", "zebra.jpg"]),
        ("newest", ["zebra.jpg", "harbour.jpg", "bridge.jpg", "apples.jpg"]),
    ],
)
async def test_the_order_can_be_chosen_and_the_first_one_comes_back(reading, order, names):
    await reading.page.select_option("#order", order)
    assert await reading.shown() == names

    await reading.page.select_option("#order", "fresh")
    assert await reading.shown() == NAMES


async def test_a_site_of_the_table_leads_to_its_pictures_alone(reading):
    await reading.page.click("#site-table a:text-is('agency.test')")

    assert await reading.shown() == ["zebra.jpg"]
    assert await reading.page.evaluate("document.activeElement.id") == "pictures-title"


async def test_the_table_of_sites_is_ordered_by_its_headings(reading):
    async def sites():
        return await reading.page.locator("#site-table tbody th").all_inner_texts()

    await reading.page.click("#site-table th button:text-is('Partial')")
    assert (await sites())[0] == "mirror.test"
    await reading.page.click("#site-table th button:text-is('Site')")

    assert await sites() == sorted(await sites())
    assert await reading.page.locator("th[aria-sort=ascending]").inner_text() == "Site"


async def test_keys_search_clear_and_walk_through_the_pictures(reading):
    press = reading.page.keyboard.press
    here = "document.activeElement.closest('.picture')?.querySelector('.path b').textContent"

    await press("/")
    await reading.page.keyboard.type("jk/test")
    assert await reading.page.input_value("#find") == "jk/test"
    await press("Escape")
    assert await reading.page.input_value("#find") == ""
    assert await reading.shown() == NAMES
    await reading.page.locator("#find").blur()
    for key, name in [("j", NAMES[0]), ("j", NAMES[1]), ("k", NAMES[0]), ("k", NAMES[0])]:
        await press(key)
        assert await reading.page.evaluate(here) == name


async def test_every_control_and_link_is_reached_by_tab_and_shows_it(reading):
    wanted = "a[href], button, input, select"
    count = await reading.page.locator(f":is({wanted}):visible").count()
    seen = set()
    for _ in range(count + 5):
        await reading.page.keyboard.press("Tab")
        seen.add(
            await reading.page.evaluate(
                "wanted => { const here = document.activeElement;"
                " if (!here.matches(wanted)) return null;"
                " if (getComputedStyle(here).outlineStyle === 'none') return 'no outline';"
                " return [...document.querySelectorAll(wanted)].indexOf(here); }",
                wanted,
            )
        )

    assert "no outline" not in seen
    assert len(seen - {None}) == count


async def test_without_javascript_everything_is_there_and_no_dead_control(opened, written):
    path = written(report_of(PICTURES), PICTURES)
    async with opened(path, java_script_enabled=False) as it:
        assert await it.shown() == NAMES
        assert await it.page.locator(".picture .match:visible").count() == 10
        assert await it.page.locator(":is(input, select, button):visible").count() == 0
        await it.page.click("#site-table a:text-is('agency.test')")

        assert it.page.url.endswith("#p4")
        assert "hides the pictures" not in await it.page.locator("#sites .hint").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hostility", [False, True])
async def test_axe_finds_no_fault(opened, written, scheme, hostility):
    path = written(hostile_report(), hostile()) if hostility else written(_half_done(), PICTURES)
    async with opened(path, color_scheme=scheme) as it:
        found = await Axe().run(it.page)

    violations = found.response["violations"]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []


def _half_done():
    tally = books(scanned=4, failed={"network": 2}, rejected={"corrupt": 1})
    tally.outcome_unknown = 1
    return report(tally, partial=True, message="the service stayed away", advice="wait")


# What is far away is laid out only when it is near.
NEAR = """() => {
  for (const node of document.querySelectorAll(".picture")) node.style.contentVisibility = "visible";
}"""
WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((node) => !node.closest(".skip, .defs"))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.outerHTML)"""
COVERED = """() => [...document.querySelectorAll(".thumb")].filter((thumb) => {
  const box = thumb.getBoundingClientRect();
  return [...thumb.parentNode.querySelectorAll(".match")].some((match) => {
    const { left, top } = match.getBoundingClientRect();
    return left < box.right && top < box.bottom;
  });
}).length"""


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
async def test_no_width_makes_it_scroll_sideways_or_lays_one_thing_on_another(
    opened, written, width
):
    for path in (written(_half_done(), PICTURES), written(hostile_report(), hostile())):
        async with opened(path, viewport={"width": width, "height": 700}) as it:
            await it.page.evaluate(NEAR)

            assert await it.page.evaluate(WIDE) == []
            assert await it.page.evaluate(COVERED) == 0
            assert await it.page.evaluate("document.documentElement.scrollWidth") == width


# Of A4 with the margins that the page asks for, in the browser's pixels.
PAGE_HEIGHT, PAGE_WIDTH = (297 - 30) / 25.4 * 96, (210 - 28) / 25.4 * 96


async def test_paper_of_a_large_report_begins_with_a_summary_of_at_most_four_pages(opened, written):
    pictures = list(many(40, matches=3))
    paths = [f"/pics/{'a long folder/' * 30}{n}.jpg" for n in range(40)]
    about = report_of(
        pictures, partial=True, message="m" * 900, advice="a" * 900, roots=tuple(paths)
    )
    async with opened(
        written(about, pictures), viewport={"width": int(PAGE_WIDTH), "height": 900}
    ) as it:
        await it.page.emulate_media(media="print")
        sites = it.page.locator("#sites")
        top = await sites.evaluate("node => node.getBoundingClientRect().top + scrollY")
        breaks = await sites.evaluate("node => getComputedStyle(node).breakBefore")

        assert await it.page.locator(".on-paper li:visible").count() >= 10
        assert breaks == "page"
        assert 0 < top < 4 * PAGE_HEIGHT
        await it.page.emulate_media(media="screen")
        assert await it.page.locator(".on-paper:visible").count() == 0


async def test_what_the_file_has_no_room_for_is_counted_and_named(opened, written, monkeypatch):
    pictures = list(many(400, matches=3))
    counts = html_pictures.picture_list(pictures, "").counted
    monkeypatch.setattr(html_pictures, "MAX_BYTES", 100_000)
    path = written(report_of(pictures), pictures, lambda: counts)
    async with opened(path) as it:
        shown = len(await it.shown())
        options = await it.page.locator("#kind option").all_inner_texts()
        first = await it.status()
        matches = await it.page.locator(".match").count()
        partial = await it.page.locator(".match[data-m^='partial']").count()
        await it.page.select_option("#kind", "partial")

        assert 0 < shown < 100
        assert options == ["all", "full (800)", "partial (400)"]
        assert first.startswith(f"{shown} of 400 pictures, {matches} of 1,200 matches")
        assert await it.status() == (
            f"{len(await it.shown())} of 400 pictures, {partial} of 1,200 matches;"
            " this file does not hold all, matches.csv does"
        )


async def test_paper_has_all_pictures_and_no_controls(reading):
    await reading.page.emulate_media(media="print")

    assert await reading.shown() == NAMES
    assert await reading.page.locator(":is(nav, #tools, .skip):visible").count() == 0
    assert (await reading.page.pdf(format="A4")).startswith(b"%PDF-")
