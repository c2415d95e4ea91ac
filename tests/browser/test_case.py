"""The page of an evidence pack in a browser: hostile strings, small screens, a screen reader."""

from __future__ import annotations

from dataclasses import replace

import pytest
from axe_playwright_python.async_playwright import Axe

from batchscan.enums import CaptureKind, Disposition
from batchscan.ledger import Ledger
from batchscan.ledger.captures import CapturedResource, CaptureFile, Timestamp
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.ledger.match_choice import MatchChoice
from tests.support.evidence_ledgers import NOW, REALM, answer, answered, image, members, packed
from tests.support.pictures import encoded
from tests.support.pictures import image as drawn

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SMALL = encoded(drawn(64, 48, 1), "JPEG", quality=80)
NASTY = 'https://evil.example/"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e'


@pytest.fixture
def case(tmp_path):
    """A pack's page about a match with everything, and one with nothing, in hostile words."""
    state = tmp_path / "state"
    state.mkdir()
    ledger = Ledger.open(state, REALM)
    with ledger.transaction():
        answered(
            ledger, image("/p/<script>alert(3)</script>.png"), answer(NASTY, "http://b.example/")
        )
        decision = Decision(
            Disposition.NOTICED, NOW, "<b>ann", "x", "</q><script>alert(4)</script>"
        )
        ledger.dispositions.mark(Choice(None, lambda _: True), decision, MarkResult())
        [match, *_] = ledger.chosen_matches.find(MatchChoice(covers=[NASTY.__eq__]))
        seen = CapturedResource(
            CaptureKind.PICTURE, NASTY, 200, NASTY, 9, "ab" * 32, 9, "x/y", SMALL
        )
        shot = replace(seen, kind=CaptureKind.SCREENSHOT, http_status=None)
        stamp = Timestamp("http://tsa.example/<script>", b"odd", None)
        file = CaptureFile("a.warc.gz", 3, "cd" * 32, NOW, NASTY, (seen, shot), stamp)
        ledger.captures.add(match.place, file)
        packed(ledger, tmp_path / "e.zip", domains=["evil.example"])
    ledger.close()
    path = tmp_path / "case.html"
    path.write_bytes(members(tmp_path / "e.zip")["case.html"])
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
async def test_the_page_fits_loads_nothing_runs_no_script_and_passes_axe(
    opened, case, scheme, width
):
    viewport = {"width": width, "height": 900}
    async with opened(case, color_scheme=scheme, viewport=viewport) as it:
        assert await it.page.evaluate("document.documentElement.scrollWidth") <= width
        assert await it.page.locator("figure img").count() == 2
        assert await it.page.evaluate("window.violations") == []
        assert [url for url in it.requests if not url.startswith("data:")] == [case.as_uri()]
        assert it.troubles == []
        found = await Axe().run(it.page)

    violations = found.response["violations"]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []
    assert b"<script" not in case.read_bytes()
