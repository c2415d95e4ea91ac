"""Allow rules and what comes meanwhile: looked at once, and then only what is new."""

from __future__ import annotations

import random
from dataclasses import replace

from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.ledger import Everything
from batchscan.ledger.review import ReviewFilter
from batchscan.review.ledger_access import ReviewLedger
from batchscan.state.access import read_ledger
from batchscan.util.atomic_file import write_atomic
from tests.support.review import AT, fill, found, loaded, reading, serving


async def test_rules_about_pictures_and_addresses_hold_for_what_a_scan_adds(tmp_path):
    rules = "- images: 2019/\n  reason: a\n- url: https://two.co.uk/*\n  reason: b\n"
    (tmp_path / "allow.yaml").write_text(rules)
    fill(tmp_path, {"2019/a.jpg": [found("https://one.com/a")], "b.jpg": [found("https://x.org/")]})
    async with serving(tmp_path) as server, reading(server) as reader:
        assert (await reader.show()).left == (1, 1)
        more = {
            "2019/c.jpg": [found("https://x.org/c"), found("https://two.co.uk/c")],
            "d.jpg": [found("https://two.co.uk/d"), found("https://x.org/d")],
        }
        fill(tmp_path, more, run="r2", at=AT + 9)
        assert (await reader.show()).left[1] == allowed_otherwise(tmp_path)
        assert (await reader.show("disposition=allowed")).left[1] == 6 - allowed_otherwise(tmp_path)


HOSTS = (
    "one.com", "cdn.one.com", "two.co.uk", "shop.two.co.uk", "intranet.example",
    "a.intranet.example", "b.intranet.example", "1.2.3.4", "[2001:db8::1]", "картины.рф",
)  # fmt: skip
RULES = (
    *(f"domain: {host}" for host in ("one.com", "cdn.one.com", "two.co.uk", "intranet.example")),
    *(f"domain: {host}" for host in ("a.intranet.example", "1.2.3.4", "xn--80aqeonm9d.xn--p1ai")),
    'domain: "2001:db8::1"', "url: https://one.com/2*", 'url: "*.two.co.uk"', 'url: "*/3"',
    "images: 2019/", "domain: one.com, images: 2019/", f"sha256: {'0' * 64}",
    "domain: cdn.one.com, until: 2001-01-01",
)  # fmt: skip


async def test_adding_and_removing_rules_gives_the_same_result_as_a_fresh_view(tmp_path):
    """Only what rules speak of that are new is looked at, and what others allowed."""
    for number in range(4):
        name = f"{2018 + number % 2}/{number}.jpg"
        fill(
            tmp_path,
            {name: [found(f"https://{host}/{number}") for host in HOSTS]},
            run=f"r{number}",
            at=AT + number,
        )
    chance = random.Random(8)
    file = tmp_path / "allow.yaml"
    ledger = ReviewLedger(loaded(tmp_path))
    kept: set[str] = set()
    seen = set()
    try:
        for step in range(25):
            kept ^= set(chance.sample(RULES, chance.choice([1, 1, 2, 6])))
            text = "".join(f"- {{{rule}, reason: r}}\n" for rule in sorted(kept))
            write_atomic(file, [text.encode() or b"[]"])
            if step == 12:
                fill(
                    tmp_path,
                    {"2019/new.jpg": [found(f"https://{host}/2") for host in HOSTS]},
                    run="late",
                    at=AT + 99,
                )
            counts = await ledger.read(
                lambda opened: opened.review_queue.sites(ReviewFilter(disposition="any"))
            )
            allowed = await ledger.read(
                lambda opened: opened.review_queue.sites(ReviewFilter(disposition="allowed"))
            )
            total = sum(site.total for site in counts)
            noted = sum(site.meant for site in allowed)
            assert total - noted == allowed_otherwise(tmp_path), sorted(kept)
            seen.add(noted)
    finally:
        await ledger.aclose()
    assert len(seen) > 8


def allowed_otherwise(folder) -> int:
    """How many matches are not allowed by the report's reckoning."""
    settings = loaded(folder).settings
    scan = replace(settings.scan, allow=str(folder / "allow.yaml"))
    settings = replace(settings, scan=scan)
    with read_ledger(settings) as ledger:
        rules = ActiveAllowRules.of(settings, AT)
        matches = summarize(rules.view(ledger, Everything(), ()), rules).matches
    return matches.total - (matches.allowed or 0)
