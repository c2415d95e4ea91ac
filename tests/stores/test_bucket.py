"""Whole scans of a bucket: books, identity, odd keys, what is lost."""

from __future__ import annotations

import re
import sys

import pytest

from batchscan.errors import UsageError
from tests.stores.conftest import outcomes
from tests.support.pictures import jpeg, png

ODD = (
    "with space.png",
    "umlaut-ä/日本/🐟.png",
    "a//b.png",
    "a/b.png",
    "/leading.png",
    "//two.png",
    "dots/../up.png",
    "dots/./here.png",
    "per%20cent.png",
    "plus+and&amp;.png",
    "question?versionId=1.png",
    "hash#1.png",
    "*[x].png",
    "tab\there.png",
    "back\\slash.png",
    "quote'\".png",
    "~tilde/ trailing /c.png",
    "x" * 1020 + ".png",
)


async def test_a_bucket_is_scanned_as_a_folder_is(bench, bucket):
    objects = {
        "a.png": png(16, 16, 1),
        "deep/er/b.jpg": jpeg(16, 16, 2),
        "twin.png": png(16, 16, 1),
        "empty.png": b"",
        "text.jpg": b"no picture at all",
        "unnamed": png(16, 16, 4),
        "deep/": b"",
        "notes.txt": b"hello",
        "README": b"hello",
    }
    for key, data in objects.items():
        bucket.write(key, data)
    ran = await bench.scan()

    found = outcomes(ran)
    assert sorted((found.pop("a.png"), found.pop("twin.png"))) == ["reused", "scanned"]
    assert found == {
        "deep/er/b.jpg": "scanned",
        "unnamed": "scanned",
        "empty.png": "empty",
        "text.jpg": "not_an_image",
    }
    assert ran.exit_code == 0
    assert ran.report.files.ignored == 2
    assert bench.charged() == 3


async def test_what_is_unchanged_is_not_opened_and_what_changed_is_asked_again(bench, bucket):
    for number in range(5):
        bucket.write(f"folder/{number}.png", png(16, 16, number))
    await bench.scan()
    bucket.asked.forget()
    second = await bench.scan()
    reads = list(bucket.asked.reads)
    bucket.write("folder/3.png", png(16, 16, 30))
    third = await bench.scan()

    assert (second.report.files.unchanged, second.lines, reads) == (5, {}, [])
    assert outcomes(third) == {"folder/3.png": "scanned"}
    assert bench.charged() == 6


@pytest.mark.slow
async def test_a_moved_object_is_never_paid_for_again(bench, bucket):
    data = png(16, 16, 1)
    bucket.write("before/a.png", data)
    await bench.scan()
    bucket.remove("before/a.png")
    bucket.write("after/b.png", data)

    assert outcomes(await bench.scan()) == {"after/b.png": "reused"}
    assert bench.charged() == 1


async def test_odd_keys_are_each_a_picture_of_their_own_and_known_again(bench, bucket):
    for number, key in enumerate(ODD):
        bucket.write(key, png(16, 16, number))
    first = await bench.scan()
    bucket.asked.forget()
    second = await bench.scan()

    assert outcomes(first) == dict.fromkeys(ODD, "scanned")
    assert second.report.files.unchanged == len(ODD)
    assert bucket.asked.reads == []


async def test_an_emptied_prefix_that_the_ledger_knows_is_lost_coverage(bucket, bench_of):
    bucket.write("pictures/a.png", png(16, 16, 1))
    async with bench_of(f"{bucket.url}/pictures", top=bucket.url) as bench:
        await bench.scan()
        bucket.remove("pictures/a.png")
        ran = await bench.scan()

    assert ran.report.files.empty_roots == ["s3://pictures/pictures"]
    assert ran.exit_code == 3


@pytest.mark.slow
async def test_overlapping_roots_count_once_and_an_object_may_be_a_root(bucket, bench_of):
    for number, key in enumerate(("a/b/c.png", "a/d.png", "a/odd.name", "ab.png")):
        bucket.write(key, png(16, 16, number))
    roots = ("a", "a/", "a/b/", "a/odd.name", "a/d.png")
    async with bench_of(*(f"{bucket.url}/{each}" for each in roots), top=bucket.url) as bench:
        ran = await bench.scan()

    assert outcomes(ran) == dict.fromkeys(("a/b/c.png", "a/d.png", "a/odd.name"), "scanned")


async def test_patterns_and_ignore_files_leave_out_objects_and_folders_unlisted(bench, bucket):
    keys = ("a.png", "drafts/b.png", "x/ignored/c.png", "x/d.gif", "x/e.png", ".git/f.png")
    for number, key in enumerate(keys):
        bucket.write(key, png(16, 16, number))
    bucket.write("x/.batchscanignore", b"ignored/\n")
    ran = await bench.scan(scan={"exclude": ("drafts/", "*.gif")})

    assert outcomes(ran) == {"a.png": "scanned", "x/e.png": "scanned"}
    assert ran.report.files.excluded == 4
    assert bucket.asked.listings == 2 + 1  # the check before, the top, x/


@pytest.mark.slow
async def test_an_ignore_file_that_a_long_listing_shows_late_still_holds(
    bench, bucket, monkeypatch
):
    monkeypatch.setattr("batchscan.walk.remote.BLOCK", 3)
    for name in ("+1.png", "+2.png", "+3.png", "a.png", "b.png"):
        bucket.write(name, png(16, 16, 1))
    bucket.write(".batchscanignore", b"+*\nb.png\n")

    assert outcomes(await bench.scan()) == {"a.png": "scanned"}


@pytest.mark.slow
async def test_lists_name_objects_and_files_alike(bench, bucket, tmp_path):
    bucket.write("a.png", png(16, 16, 1))
    bucket.write("odd.name", png(16, 16, 2))
    (tmp_path / "b.png").write_bytes(png(16, 16, 3))
    names = ("s3://pictures/a.png", "s3a://pictures/a.png", "s3://pictures/odd.name")
    others = ("s3://pictures/gone.png", "gopher://x/a.png", "s3://me:s3cret@pictures/a.png")
    listed = tmp_path / "list"
    listed.write_text("\n".join((*names, *others, str(tmp_path / "b.png"))))
    ran = await bench.scan(roots=(), files_from=str(listed))

    assert outcomes(ran) == {
        "a.png": "scanned",
        "odd.name": "scanned",
        "gone.png": "vanished",
        "gopher://x/a.png": "unreadable",
        "s3://***@pictures/a.png": "unreadable",
        str(tmp_path / "b.png"): "scanned",
    }
    assert "s3cret" not in "".join(path.read_text() for path in tmp_path.rglob("*.json*"))


@pytest.mark.slow
async def test_young_objects_are_left_alone(bench, bucket):
    bucket.write("a.png", png(16, 16, 1))

    assert outcomes(await bench.scan(scan={"min_age": 3600.0})) == {"a.png": "too_young"}


@pytest.mark.slow
async def test_what_is_too_large_is_not_read(bench, bucket):
    bucket.write("large.png", png(16, 16, 1) + bytes(2000))
    ran = await bench.scan(scan={"max_bytes": 1000}, send={"convert": "never", "metadata": "keep"})

    assert outcomes(ran) == {"large.png": "too_large"}
    assert bucket.asked.reads == []


async def test_what_happens_between_listing_and_reading_is_reported(bench, bucket):
    for name in ("changes", "goes", "closes", "stays"):
        bucket.write(f"{name}.png", png(16, 16, 1))
    asked = bucket.asked
    asked.before["GET /pictures/changes.png"] = lambda: bucket.write("changes.png", png(16, 16, 2))
    asked.before["GET /pictures/goes.png"] = lambda: bucket.remove("goes.png")
    asked.refused["GET /pictures/closes.png"] = 403
    ran = await bench.scan()

    assert outcomes(ran) == {
        "changes.png": "changed_while_reading",
        "goes.png": "vanished",
        "closes.png": "unreadable",
        "stays.png": "scanned",
    }
    assert "AccessDenied of the test" in str(ran.lines["closes.png"].detail)


@pytest.mark.slow
async def test_a_prefix_that_may_not_be_listed_is_lost_coverage(bench, bucket):
    bucket.write("a/1.png", png(16, 16, 1))
    bucket.write("b/2.png", png(16, 16, 2))
    bucket.asked.refused["prefix=a%2F"] = 403
    ran = await bench.scan()

    assert outcomes(ran) == {"b/2.png": "scanned"}
    assert (ran.report.files.unreadable_folders, ran.exit_code) == (1, 3)


@pytest.mark.slow
async def test_where_listing_is_refused_a_named_object_is_still_read(bucket, bench_of):
    bucket.write("a/1.png", png(16, 16, 1))
    bucket.asked.refused["list-type=2"] = 403
    async with bench_of(f"{bucket.url}/a/1.png", top=bucket.url) as bench:
        assert outcomes(await bench.scan()) == {"a/1.png": "scanned"}
        with pytest.raises(UsageError, match="refused: AccessDenied of the test"):
            await bench.scan(roots=(f"{bucket.url}/a",))


async def test_a_body_that_breaks_off_is_asked_for_again(bench, bucket):
    bucket.write("a.png", png(64, 64, 1))
    bucket.asked.broken = 2
    ran = await bench.scan()

    assert outcomes(ran) == {"a.png": "scanned"}
    assert len(bucket.asked.reads) == 3


@pytest.mark.slow
async def test_a_failing_store_is_asked_again_and_then_lost(bench, bucket, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    bucket.write("a/1.png", png(16, 16, 1))
    bucket.write("b/2.png", png(16, 16, 2))
    bucket.asked.refused["prefix=a%2F"] = 500
    bucket.asked.refused["GET /pictures/b/2.png"] = 500
    ran = await bench.scan()

    assert outcomes(ran) == {"b/2.png": "unreadable"}
    assert len(bucket.asked.reads) == 2
    assert (ran.report.files.unreadable_folders, ran.exit_code) == (1, 3)


@pytest.mark.parametrize(
    ("root", "says"),
    [
        ("s3://no-such-bucket/x", "not there"),
        ("s3://id:s3cret@pictures/x", "holds a secret"),
        ("s3://pictures/a.png?X-Amz-Signature=s3cret", "holds a secret"),
        ("s3:///x", "names no bucket"),
        ("gopher://pictures/x", "unsupported URL scheme"),
    ],
)
async def test_a_root_that_cannot_be_is_refused_before_anything_is_sent(bench, root, says):
    with pytest.raises(UsageError, match=says) as caught:
        await bench.scan(roots=(root,))

    assert "s3cret" not in str(caught.value)
    assert len(bench.emulator.journal) == 0


async def test_without_credentials_the_stores_own_chain_is_named(bench, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(UsageError, match="refused") as caught:
        await bench.scan()

    assert "AWS_PROFILE" in str(caught.value.advice)


async def test_a_store_whose_library_is_missing_names_the_line_that_brings_it(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(UsageError, match="s3fs") as caught:
        await bench.scan()

    assert re.fullmatch(r"pip install 's3fs>=[0-9.]+'", str(caught.value.advice))
