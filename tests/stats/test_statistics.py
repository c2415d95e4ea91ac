"""`batchscan stats` over a real ledger: what is counted, when, where, and how it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchscan.allow import AllowRules, Rule
from batchscan.cli import main
from batchscan.enums import Disposition
from batchscan.ledger import Ledger, Realm
from batchscan.ledger.activity import DAY
from batchscan.ledger.decision_types import Choice, Decision, MarkResult
from batchscan.settings import Api
from batchscan.stats import Statistics, plots, statistics, table
from batchscan.url_patterns import UrlPattern
from batchscan.util.columns import columns
from tests.support.inside import connection_of
from tests.support.ledger_entries import NOW, enter, shown

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()  # of the week of NOW
A, B, C = "https://one.com/a.jpg", "https://one.com/b.jpg", "https://two.org/c.jpg"


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(tmp_path, Realm(Api().url, sandbox=False))
    enter(opened, "/p/x/1.jpg", [shown(A), shown(B), shown(C)])
    enter(opened, "/p/y/2.jpg", [shown(C)])
    yield opened
    opened.close()


def mark(ledger: Ledger, url: str, word: Disposition, days: float) -> int | None:
    """Decide so many days after NOW; the decision's number."""
    marked = MarkResult()
    decision = Decision(word, NOW + days * DAY, force=True)
    while marked.reached is not None:
        with ledger.transaction():
            ledger.dispositions.mark(Choice(None, lambda found: found == url), decision, marked)
    return marked.batch


def of(ledger: Ledger, by="week", days: float = 30.0) -> Statistics:
    with ledger.transaction():
        return statistics(ledger, by, NOW + days * DAY)


def test_columns_are_straight_and_narrow_whatever_the_folders_are_called(ledger):
    for number, name in enumerate(["Mu\u0308ller", "\u65e5\u672c\u306e\u5199\u771f" * 9, "plain"]):
        enter(ledger, f"/p/{name}/{number}.jpg", [shown(A)])

    lines = table(of(ledger)).splitlines()
    folders = lines[next(n for n, line in enumerate(lines) if line.startswith("Folder")) :]
    assert len({columns(line) for line in folders}) == 1
    assert columns(folders[0]) <= 80


def test_what_a_rule_allows_is_not_to_do_anywhere(ledger, tmp_path, capsys):
    today = datetime.fromtimestamp(NOW + DAY, UTC).date()
    past = Rule("not any more", UrlPattern.of("one.com"), until=today - timedelta(days=1))
    rules = AllowRules([Rule("ours", UrlPattern.of("two.org")), past])
    with ledger.transaction():
        ruled = statistics(ledger, "week", NOW + DAY, rules=rules)

    assert {site.name: (site.found, site.worklist) for site in ruled.sites} == {
        "one.com": (2, 2),
        "two.org": (2, 0),
    }
    assert [folder.worklist for folder in ruled.folders] == [2, 0]
    assert [site.worklist for site in of(ledger).sites] == [2, 2]

    allowed = tmp_path / "allow.yaml"
    allowed.write_text("- {domain: two.org, reason: ours}\n")
    assert main(["stats", "--json", "--state", str(tmp_path), "--allow", str(allowed)]) == 0
    shown_sites = json.loads(capsys.readouterr().out)["sites"]
    assert [site["worklist"] for site in shown_sites] == [2, 0]


def test_each_thing_counts_once_and_when_it_happened(ledger):
    mark(ledger, A, Disposition.REVIEWED, 1)
    mark(ledger, A, Disposition.NOTICED, 8)
    mark(ledger, C, Disposition.NOTICED, 8)
    mark(ledger, B, Disposition.NOT_MINE, 9)
    mark(ledger, A, Disposition.REMOVED, 11)
    mark(ledger, C, Disposition.REMOVED, 18)
    found = of(ledger)
    by_label = {period.label: period.counts for period in found.periods}

    assert [period.start for period in found.periods][:2] == ["2026-11-23", "2026-11-30"]
    assert [*by_label] == ["2026-W48", "2026-W49", "2026-W50", "2026-W51", "2026-W52"]
    assert (by_label["2026-W48"].found, by_label["2026-W48"].credits) == (4, 2)
    assert (by_label["2026-W48"].reviewed, by_label["2026-W49"].noticed) == (1, 3)
    assert (by_label["2026-W49"].not_mine, by_label["2026-W49"].removed) == (1, 1)
    assert (by_label["2026-W49"].days_to_removal, by_label["2026-W50"].removed) == (3.0, 2)
    assert found.total.days_to_removal == 10.0
    assert [(site.name, site.found, site.removed) for site in found.sites] == [
        ("one.com", 2, 1),
        ("two.org", 2, 2),
    ]
    assert [site.days_to_removal for site in found.sites] == [3.0, 10.0]
    assert [(each.name, each.found, each.noticed) for each in found.folders] == [
        ("/p/x", 3, 2),
        ("/p/y", 1, 1),
    ]


def test_what_was_taken_back_does_not_count_and_nor_does_taking_it_back(ledger):
    mark(ledger, A, Disposition.NOTICED, 1)
    mark(ledger, A, Disposition.REMOVED, 2)
    with ledger.transaction():
        last = ledger.dispositions.last()
        assert last is not None
    undone, marked = Decision(Disposition.NOTICED, NOW + 3 * DAY), MarkResult()
    while marked.reached is not None:
        with ledger.transaction():
            ledger.dispositions.undo(last, undone, marked)
    total = of(ledger).total

    assert (total.noticed, total.removed, total.days_to_removal) == (1, 0, None)


def test_what_was_marked_before_decisions_were_kept_counts_when_it_was_marked(ledger):
    with ledger.transaction():
        connection_of(ledger).execute(
            "UPDATE sightings SET disposition = 'removed', marked_at = ? WHERE url = ?",
            (NOW + 8 * DAY, B),
        )
    found = of(ledger)

    assert [period.counts.removed for period in found.periods][:3] == [0, 1, 0]


@pytest.mark.parametrize("odd", [-1e300, 0.0, 1e300, float("inf")])
@pytest.mark.parametrize("by", ["week", "month"])
def test_odd_clocks_neither_break_it_nor_hide_anything(ledger, odd, by):
    with ledger.transaction():
        connection_of(ledger).execute("UPDATE sightings SET first_seen = ? WHERE url = ?", (odd, A))
    found = of(ledger, by)
    in_periods = sum(period.counts.found for period in found.periods)

    assert found.total.found == 4
    assert in_periods + (found.earlier.found if found.earlier else 0) == 4
    assert len(found.periods) <= 520
    assert table(found)


moments = st.floats(-2_000, 60, allow_nan=False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from([A, B, C]), st.sampled_from([*Disposition][:5]), moments),
        max_size=8,
    ),
    st.sampled_from(["week", "month"]),
)
def test_periods_sites_and_folders_sum_up_to_the_total(ledger, decisions, by):
    for url, word, days in decisions:
        mark(ledger, url, word, days)
    found = of(ledger, by)

    for name in ("found", "reviewed", "not_mine", "noticed", "removed"):
        total = getattr(found.total, name)
        earlier = getattr(found.earlier, name) if found.earlier else 0
        assert sum(getattr(period.counts, name) for period in found.periods) + earlier == total
        assert sum(getattr(place, name) for place in found.sites) == total
        assert sum(getattr(place, name) for place in found.folders) == total
    starts = [period.start for period in found.periods]
    assert starts == sorted(set(starts))


def test_plots_are_whole_svg_that_asks_for_nothing_and_says_what_it_shows(ledger):
    enter(ledger, "/p/z.jpg", [shown("https://<script>.example/x.jpg")])
    mark(ledger, "https://<script>.example/x.jpg", Disposition.NOTICED, 1)
    mark(ledger, "https://<script>.example/x.jpg", Disposition.REMOVED, 5)
    drawn = str(plots(of(ledger)))
    root = ET.fromstring(f"<page>{drawn}</page>")

    assert [figure.findtext("figcaption") for figure in root] == [
        "Matches found",
        "Noticed: a notice was sent",
        "Removed",
        "Days from noticed to removed, median",
        "Credits charged",
        "Days from noticed to removed by site, median",
    ]
    for svg in root.iter("svg"):
        assert svg.attrib["role"] == "img"
        assert svg.findtext("title")
    assert not re.search(r"https?:|style=|url\(|<script", drawn)
    assert "5.0" not in drawn


def test_a_table_fits_a_terminal_whatever_sites_and_folders_are_called(ledger):
    enter(
        ledger, f"/p/{'long-folder/' * 20}\x1b[2J/ש.jpg", [shown(f"https://{'a' * 60}.com/1.jpg")]
    )
    said = table(of(ledger, days=400))

    assert max(map(len, said.splitlines())) <= 80
    assert said.replace("\n", "").isprintable()
    assert "earlier weeks are in the last line" in said


def test_with_a_price_money_is_shown_beside_credits_and_adds_up(ledger):
    enter(ledger, "/p/later.jpg", [shown(A)])
    with ledger.transaction():
        connection_of(ledger).execute(
            "UPDATE answers SET received_at = ? WHERE id = (SELECT max(id) FROM answers)",
            (NOW + 8 * DAY,),
        )
        found = statistics(ledger, "week", NOW + 9 * DAY, "0.5 EUR")
        free = statistics(ledger, "week", NOW + 9 * DAY)
    said = table(found).splitlines()

    assert (found.credit_price, found.total.credits, found.total.money) == (
        "0.5 EUR",
        3,
        "1.50 EUR",
    )
    assert [period.counts.money for period in found.periods] == ["1.00 EUR", "0.50 EUR"]
    assert said[0].split()[-2:] == ["credits", "EUR"]
    assert [line.split()[-1] for line in said[1:4]] == ["1.00", "0.50", "1.50"]
    assert "A credit costs 0.5 EUR: 1.50 EUR in all." in said
    assert (free.credit_price, free.total.money) == (None, None)
    assert "EUR" not in table(free)


def test_money_that_does_not_fit_the_table_is_printed_below(ledger):
    with ledger.transaction():
        connection_of(ledger).execute("UPDATE answers SET credits = 123456789")
        found = statistics(ledger, "week", NOW, "999999.25 EUR")
    said = table(found)

    assert max(map(len, said.splitlines())) <= 80
    assert f"A credit costs 999999.25 EUR: {found.total.money} in all." in said


def test_an_empty_ledger_has_nothing_to_report(tmp_path):
    ledger = Ledger.open(tmp_path, Realm(Api().url, sandbox=False))
    found = of(ledger)
    ledger.close()

    assert found.periods == []
    assert table(found) == "Nothing has been found, decided or paid yet.\n"
    assert plots(found) == ""


@pytest.fixture
def run(tmp_path, capsys) -> Callable[..., tuple[int, str]]:
    def running(*words: str) -> tuple[int, str]:
        code = main(["stats", *words, "--state", str(tmp_path)])
        return code, capsys.readouterr().out

    return running


def test_the_command_prints_a_table_or_json_with_its_schema(ledger, run):
    code, text = run()
    json_code, data = run("--by", "month", "--json")
    found = json.loads(data)

    assert code == json_code == 0
    assert text.startswith("Week from ")
    assert (found["schema"], found["by"], found["total"]["found"]) == (1, "month", 4)
    assert msgspec.json.decode(data, type=Statistics).total.credits == 2
    assert found["periods"][0]["label"] == "2026-11"
    assert found["periods"][0]["counts"]["found"] == 4
    assert found["credit_price"] is None


def test_the_command_takes_the_price_from_the_settings(ledger, run, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("spend:\n  credit_price: 0.02 USD\n")
    _, text = run("-c", str(config))
    _, data = run("--json", "-c", str(config))

    assert "A credit costs 0.02 USD: 0.04 USD in all." in text
    assert json.loads(data)["total"]["money"] == "0.04 USD"


def test_without_a_ledger_it_says_so(tmp_path, run, capsys):
    code = main(["stats", "--state", str(tmp_path / "nothing")])

    assert code == 9
