"""What a scan does with a folder: books, reuse, resume, limits."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import time

import pytest

from batchscan import Rate, Scan
from batchscan.errors import LockedError, UsageError
from batchscan.model import Scanned
from batchscan.report.to_do import to_do
from tests.support.pictures import jpeg, png, tree


async def test_every_good_and_broken_file_of_a_folder_gets_an_outcome(bench):
    tree(
        bench.images,
        {
            "a.png": png(16, 16, 1),
            "deep/er/b.jpg": jpeg(16, 16, 2),
            "twin.png": png(16, 16, 1),
            "empty.png": b"",
            "text.jpg": b"no picture at all",
            "cut.jpg": jpeg(64, 64, 3)[:700],
            "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
            "large.bmp": b"BM" + bytes(20_000_000),
            "unnamed": png(16, 16, 4),
            "notes.txt": b"hello",
            "README": b"hello",
        },
    )
    ran = await bench.scan()

    assert {name: (line.status, line.reason) for name, line in ran.lines.items()} == {
        "a.png": ("scanned", None) if ran.lines["a.png"].status == "scanned" else ("reused", None),
        "twin.png": ("reused", None)
        if ran.lines["a.png"].status == "scanned"
        else ("scanned", None),
        "deep/er/b.jpg": ("scanned", None),
        "unnamed": ("scanned", None),
        "empty.png": ("rejected", "empty"),
        "text.jpg": ("rejected", "not_an_image"),
        "cut.jpg": ("rejected", "corrupt"),
        "phone.heic": ("rejected", "corrupt"),
        "large.bmp": ("rejected", "too_large"),
    }
    assert ran.exit_code == 0
    assert ran.report.files.ignored == 2
    assert bench.charged() == ran.report.credits.charged == 3
    assert ran.report.credits.saved_by_reuse == 1
    assert len(bench.emulator.journal.of("login")) == 1


async def test_what_is_hashed_is_what_is_sent(bench):
    bench.pictures(5)
    ran = await bench.scan()

    sent = {entry.sha256 for entry in bench.checks()}
    assert sent == {line.sha256 for line in ran.lines.values()}


async def test_a_second_run_sends_nothing_and_writes_no_line(bench):
    bench.pictures(6)
    await bench.scan()
    before = len(bench.emulator.journal)
    again = await bench.scan()

    assert again.report.files.unchanged == 6
    assert again.lines == {}
    assert len(bench.emulator.journal) == before  # not even a login


async def test_moved_renamed_and_copied_files_are_never_sent_again(bench):
    bench.pictures(3)
    await bench.scan()
    (bench.images / "moved").mkdir()
    (bench.images / "p000.png").rename(bench.images / "moved" / "new.png")
    (bench.images / "copy.png").write_bytes((bench.images / "p001.png").read_bytes())
    again = await bench.scan()

    assert again.statuses() == {"reused": 2}
    assert again.report.files.unchanged == 2
    assert bench.charged() == 3
    assert again.report.credits.saved_by_reuse == 2


async def test_a_touched_file_is_opened_and_its_answer_reused(bench):
    bench.pictures(1)
    await bench.scan()
    os.utime(bench.images / "p000.png")
    again = await bench.scan()

    assert again.statuses() == {"reused": 1}
    assert bench.charged() == 1


async def test_a_changed_file_is_sent_and_the_rejected_one_that_was_mended_too(bench):
    bench.pictures(1)
    tree(bench.images, {"broken.png": b"junk"})
    await bench.scan()
    tree(bench.images, {"p000.png": png(16, 16, 77), "broken.png": png(16, 16, 78)})
    again = await bench.scan()

    assert again.statuses() == {"scanned": 2}


async def test_other_rules_judge_rejected_files_again_and_no_others(bench):
    tree(bench.images, {"a.png": png(16, 16, 1), "wide.png": png(64, 64, 2)})
    first = await bench.scan(scan={"max_pixels": 1000}, send={"convert": "never"})
    second = await bench.scan(scan={"max_pixels": 10_000}, send={"convert": "never"})

    assert first.reasons() == {"too_many_pixels": 1}
    assert second.statuses() == {"scanned": 1}
    assert second.report.files.unchanged == 1


async def test_matches_are_reported_with_pages_domains_and_scores(bench_with, tmp_path):
    web = tree(
        tmp_path / "web",
        {"site/copy.png": png(64, 64, 1), "site/index.html": b'<img src="copy.png">'},
    )
    async with bench_with(web=web, search=True) as bench:
        tree(bench.images, {"a.png": png(64, 64, 1), "clean.png": png(64, 64, 9)})
        ran = await bench.scan(scan={"fail_on": "full"})

        [match] = ran.lines["a.png"].matches
        assert match.kind == "full"
        assert match.url == bench.emulator.web_url("site/copy.png")
        assert match.pages == [bench.emulator.web_url("site/index.html")]
        assert match.domain == "127.0.0.1"
        assert ran.lines["a.png"].score.total == 1
        assert ran.lines["clean.png"].matches == []
        assert ran.report.matches.images_with_matches == 1
        assert ran.report.run_matches.full == 1
        assert [image.sha256 for image in ran.report.images] == [ran.lines["a.png"].sha256]
        assert ran.exit_code == 10

        again = await bench.scan(scan={"fail_on": "any"})
        assert again.report.matches.total == 1  # of the unchanged picture, from the ledger
        assert again.report.run_matches.total == 0
        assert again.exit_code == 10


async def test_a_dry_run_plans_what_a_scan_would_do_and_touches_nothing(bench):
    bench.pictures(4)
    tree(bench.images, {"twin.png": png(16, 16, 0), "broken.png": b"junk"})
    plan = await bench.scan(dry_run=True)

    assert plan.report.run.dry_run
    assert plan.exit_code == 0
    assert plan.reasons() == {"dry_run": 5, "not_an_image": 1}  # one shares another's answer
    assert plan.report.run.plan is not None
    assert (plan.report.run.plan.pictures, plan.report.run.plan.shared) == (4, 1)
    assert plan.report.files.checked == 0
    assert plan.report.credits.expected == 4
    assert plan.report.run.at_least_s is not None
    assert len(bench.emulator.journal) == 0
    assert not (bench.folder / "state").exists()

    real = await bench.scan()
    for name, line in real.lines.items():
        expected = "deferred" if line.status == "scanned" else line.status.value
        planned = plan.lines[name].status.value
        if line.sha256 != real.lines["twin.png"].sha256:  # which twin goes first is chance
            assert planned == expected


async def test_a_dry_run_needs_no_account_and_leaves_a_known_state_as_it_was(bench):
    bench.pictures(2)
    await bench.scan()
    bench.pictures(1, start=2)
    state = bench.folder / "state"
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    plan = await bench.scan(dry_run=True, account={"email": None, "api_key": None})

    assert plan.report.files.unchanged == 2
    assert plan.reasons() == {"dry_run": 1}
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


async def test_a_budget_ends_the_sending_but_not_the_counting(bench):
    bench.pictures(9)
    tree(bench.images, {"q/broken.png": b"junk"})
    ran = await bench.scan(spend={"max_credits": 4})

    assert ran.exit_code == 5
    assert bench.charged() == 4
    assert ran.report.files.seen == 10
    reasons = ran.reasons()
    assert reasons["budget"] + reasons["not_an_image"] == 6  # what is left is not opened

    again = await bench.scan()
    assert again.statuses()["scanned"] == 5
    assert bench.charged() == 9


async def test_a_budget_holds_at_prices_that_nobody_expected(bench_with):
    async with bench_with(credits_per_image=3) as bench:
        bench.pictures(6)
        ran = await bench.scan(spend={"max_credits": 10})

        assert bench.charged() == 9
        assert ran.report.credits.charged == 9
        assert ran.exit_code == 5


async def test_limit_and_duration_end_the_sending(bench):
    bench.pictures(5)
    limited = await bench.scan(spend={"limit": 2})
    slow = {"rate": (Rate(2, 60.0),)}  # and two were sent just now
    timed = await bench.scan(pace=slow, spend={"max_duration": 30.0})

    assert (limited.exit_code, limited.statuses()["scanned"]) == (5, 2)
    assert limited.reasons() == {"limit": 3}
    assert timed.reasons() == {"duration": 3}


@pytest.mark.parametrize(
    ("slow", "sent"),
    [
        ({"rate": (Rate(1, 7200.0),)}, 2),
        ({"rate": (Rate(10, 1.0),), "per_host": (Rate(1, 7200.0),)}, 2),
    ],
    ids=["rate", "per_host"],
)
async def test_the_longest_duration_ends_a_wait_for_the_rate(bench, slow, sent):
    bench.pictures(5)
    ran = await bench.scan(pace=slow, spend={"max_duration": 8000.0})

    assert ran.exit_code == 5
    assert bench.charged() == sent
    assert ran.reasons() == {"duration": 5 - sent}
    assert 8000.0 <= ran.report.run.duration_s < 8100.0


async def test_the_login_leaves_the_slot_of_a_low_rate_to_the_first_picture(bench):
    bench.pictures(5)
    ran = await bench.scan(pace={"rate": (Rate(1, 3600.0),)}, spend={"max_duration": 60.0})

    assert ran.reasons() == {"duration": 4}
    assert bench.charged() == 1


async def test_the_balance_is_not_waited_for_until_a_low_rate_allows_the_request(bench):
    bench.pictures(1)
    ran = await bench.scan(pace={"rate": (Rate(2, 7200.0),)})

    assert ran.exit_code == 0
    assert ran.report.credits.balance is None
    assert ran.report.run.duration_s < 3800.0


async def test_limits_that_are_just_enough_are_not_reached(bench):
    bench.pictures(3)
    ran = await bench.scan(spend={"limit": 3, "max_credits": 3})

    assert ran.exit_code == 0


async def test_credits_that_run_out_stop_the_run_and_a_later_one_goes_on(bench_with):
    async with bench_with(credits=3) as bench:
        bench.pictures(8)
        ran = await bench.scan()
        assert ran.exit_code == 6
        assert ran.statuses() == {"scanned": 3, "deferred": 5}
        assert ran.reasons() == {"credits": 5}


async def test_force_asks_again_about_everything_once(bench):
    bench.pictures(3)
    tree(bench.images, {"twin.png": png(16, 16, 0)})
    await bench.scan()
    again = await bench.scan(force=True)

    assert again.statuses() == {"scanned": 3, "reused": 1}
    assert {line.generation for line in again.lines.values()} == {2}
    assert len({entry.scan_id for entry in bench.checks()}) == 6
    assert bench.charged() == 6


async def test_a_forced_run_that_ended_early_is_continued_without_paying_twice(bench):
    bench.pictures(6)
    await bench.scan()
    bench.clock.skip(2 * 86400)
    forced = await bench.scan(force=True, spend={"limit": 2})
    advice = forced.report.run.advice or ""
    rest = await bench.scan(scan={"rescan_after": 86400.0})

    assert forced.report.run.force
    assert "--rescan-after 1d in place of --force" in advice
    assert "same command" not in advice
    assert not any("paid for twice" in task.what for task in to_do(forced.report))
    assert rest.statuses() == {"scanned": 4}
    assert bench.charged() == 12


async def test_rehash_opens_every_file_and_sends_what_is_unknown_only(bench):
    bench.pictures(3)
    await bench.scan()
    again = await bench.scan(rehash=True)

    assert again.statuses() == {"reused": 3}
    assert bench.charged() == 3


async def test_answers_older_than_rescan_after_are_asked_for_again(bench):
    bench.pictures(2)
    await bench.scan()
    young = await bench.scan(scan={"rescan_after": 3600.0})
    old = await bench.scan(scan={"rescan_after": 0.001})

    assert young.report.files.unchanged == 2
    assert old.statuses() == {"scanned": 2}
    assert {line.generation for line in old.lines.values()} == {2}


async def test_sandbox_answers_cost_nothing_and_never_count_as_real_ones(bench):
    bench.pictures(2)
    mock = await bench.scan(api={"sandbox": True})
    real = await bench.scan()

    assert mock.report.credits.charged == 0
    assert {entry.sandbox for entry in bench.checks()[:2]} == {True}
    assert all(line.sandbox for line in mock.lines.values())
    assert real.statuses() == {"scanned": 2}
    assert bench.charged() == 2


async def test_young_files_are_left_alone_and_that_is_no_failure(bench):
    bench.pictures(1)
    ran = await bench.scan(scan={"min_age": 3600.0})

    assert ran.exit_code == 0
    assert ran.reasons() == {"too_young": 1}
    assert len(bench.checks()) == 0


async def test_a_file_dated_in_the_future_is_as_old_as_its_last_change(bench):
    bench.pictures(2)
    ahead = time.time() + 10 * 366 * 86_400
    for path in bench.images.iterdir():
        os.utime(path, (ahead, ahead))
    young = await bench.scan(scan={"min_age": 3600.0})
    assert young.reasons() == {"too_young": 2}
    await asyncio.sleep(0.3)
    ran = await bench.scan(scan={"min_age": 0.2})
    assert ran.statuses() == {"scanned": 2}


async def test_an_empty_root_that_held_pictures_is_lost_coverage(bench):
    bench.pictures(2)
    await bench.scan()
    for path in bench.images.iterdir():
        path.unlink()
    ran = await bench.scan()

    assert ran.exit_code == 3
    assert ran.report.files.empty_roots == [str(bench.images)]


async def test_listed_files_need_no_root_and_missing_ones_fail(bench, tmp_path):
    bench.pictures(1)
    listed = tmp_path / "list"
    listed.write_text(f"{bench.images}/p000.png\n{bench.images}/gone.png\n{bench.images}\n")
    ran = await bench.scan(roots=(), files_from=str(listed))

    assert {name: line.reason for name, line in ran.lines.items()} == {
        "p000.png": None,
        "gone.png": "vanished",
        ".": "unreadable",
    }
    assert ran.exit_code == 3


async def test_two_runs_of_one_state_folder_never_overlap(bench):
    bench.pictures(1)
    async with Scan(bench.settings()) as first:
        with pytest.raises(LockedError, match=str(os.getpid())):
            async with Scan(bench.settings()):
                pass
        async for _ in first:
            pass

    assert first.exit_code == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"roots": ("/not/there",)},
        {"account": {"api_key": None}},
        {"api": {"url": "http://example.com"}},
        {"pace": {"concurrency": 0}},
    ],
)
async def test_problems_known_beforehand_are_reported_before_anything_happens(bench, changes):
    with pytest.raises(UsageError):
        await bench.scan(**changes)

    assert not (bench.folder / "output").exists()
    assert len(bench.emulator.journal) == 0


async def test_a_signal_lets_what_is_under_way_finish(bench_with):
    async with bench_with(latency=0.2) as bench:
        bench.pictures(30)
        async with Scan(bench.settings(pace={"concurrency": 4})) as run:
            async for outcome in run:
                if isinstance(outcome, Scanned):
                    run.request_stop(signal.SIGTERM)
        ran = bench.ran(run.report)

        assert ran.exit_code == 143
        assert ran.report.run.partial
        assert ran.statuses()["scanned"] == bench.charged() >= 1
        assert ran.reasons()["interrupted"] >= 20
        again = await bench.scan()
        assert bench.charged() == 30
        assert again.exit_code == 0


async def test_leaving_the_iteration_stops_the_run_and_loses_nothing(bench_with):
    async with bench_with(latency=0.1) as bench:
        bench.pictures(20)
        async with Scan(bench.settings(pace={"concurrency": 4})) as run:
            async for _ in run:
                break

        assert run.report.files.scanned == bench.charged() < 20
        assert run.exit_code == 130


async def test_a_run_without_iterating_is_stopped_and_consistent(bench):
    bench.pictures(3)
    async with Scan(bench.settings()):
        pass
    ran = await bench.scan()

    assert bench.charged() == 3
    assert ran.exit_code == 0


async def test_everything_written_is_private_and_holds_no_secret(bench):
    bench.pictures(2)
    tree(bench.images, {"broken.png": b"junk"})
    before = os.umask(0)
    try:
        await bench.scan()
    finally:
        os.umask(before)
    for folder in ("output", "state"):
        for path in (bench.folder / folder).rglob("*"):
            if path.is_symlink():
                continue
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path
            if path.is_file():
                assert b"key-of-the-account" not in path.read_bytes()
    token = json.loads((bench.folder / "state" / "token.json").read_bytes())["access_token"]
    for path in (bench.folder / "output").rglob("*.json*"):
        assert token.encode() not in path.read_bytes()


async def test_names_of_any_bytes_travel_through_whole(bench):
    names = [b"caf\xe9.png", "snow☃.png".encode(), b"new\nline.png", b" lead.png", b"-n.png"]
    for number, name in enumerate(names):
        (bench.images / os.fsdecode(name)).write_bytes(png(16, 16, number))
    ran = await bench.scan()
    again = await bench.scan()

    assert ran.exit_code == 0
    assert ran.statuses() == {"scanned": len(names)}
    assert [line.path_b64 is not None for line in ran.lines.values()].count(True) == 1
    assert again.report.files.unchanged == len(names)


async def test_latest_leads_to_the_newest_run(bench):
    bench.pictures(1)
    first = await bench.scan()
    second = await bench.scan()
    latest = bench.folder / "output" / "latest"

    assert os.readlink(latest) == f"runs/{second.report.run.id}"
    assert first.report.run.id != second.report.run.id


async def test_one_login_serves_many_runs(bench):
    for number in range(3):
        bench.pictures(1, start=number)
        await bench.scan()

    assert len(bench.emulator.journal.of("login")) == 1
