"""Allow rules and what comes meanwhile: looked at once, and then only what is new."""

from __future__ import annotations

from dataclasses import replace

from batchscan.allow.active import ActiveAllowRules, summarize
from batchscan.ledger import Everything
from batchscan.state.access import read_ledger
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


def allowed_otherwise(folder) -> int:
    """How many matches are not allowed by the report's reckoning."""
    settings = loaded(folder).settings
    scan = replace(settings.scan, allow=str(folder / "allow.yaml"))
    settings = replace(settings, scan=scan)
    with read_ledger(settings) as ledger:
        rules = ActiveAllowRules.of(settings, AT)
        matches = summarize(rules.view(ledger, Everything(), ()), rules).matches
    return matches.total - (matches.allowed or 0)
