"""Asking sites whether copies are still there, over real sockets, with a clock that tests move."""

import gzip
import hashlib
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from batchscan.commands.recheck import TASK
from batchscan.commands.recheck_text import as_text
from batchscan.enums import Disposition, RecheckVerdict
from batchscan.errors import LockedError, UsageError
from batchscan.images.decoding.pool import Decoders
from batchscan.ledger import FILE_NAME
from batchscan.state.lock import StateLock
from tests.support.pictures import gif, jpeg, png, webp
from tests.support.rechecking import DAY, START, CopiesWeb, Copy, verdicts
from tests.support.web_sites import NOT_THERE, ok, redirect

PICTURE, PAGE = "site.example/a.jpg", "site.example/page.html"
HTML = b"<html><img src='/a.jpg'></html>"
THEIRS = jpeg(96, 64, 1)


@pytest.fixture(scope="module")
def decoders():
    """Processes for all tests: each takes a while to start."""
    with closing(Decoders(1)) as decoders:
        yield decoders


@pytest.fixture
def web_with(tmp_path, decoders):
    def make(copies, answers=None) -> CopiesWeb:
        return CopiesWeb(tmp_path / "state", copies, answers or {}, decoders=decoders)

    return make


@pytest.fixture
def web_of(web_with):
    """A web with one picture and its page."""

    def make(*answers: bytes):
        table = dict(zip((PICTURE, PAGE), answers or (ok(THEIRS), ok(HTML)), strict=False))
        copies = [Copy(f"http://{PICTURE}", (f"http://{PAGE}",))]
        return web_with(copies, {PAGE: ok(HTML), **table})

    return make


def in_chunks(body: bytes, *headers: str, coding: str = "chunked", trailer: bytes = b"") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Transfer-Encoding: {coding}", *headers, "", ""]
    chunk = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)
    return "\r\n".join(lines).encode() + chunk


def twice_packed(body: bytes) -> bytes:
    return gzip.compress(gzip.compress(body, mtime=0), mtime=0)


CASES = [
    (ok(THEIRS), "there"),
    (ok(jpeg(96, 64, 1, quality=30)), "there"),  # compressed anew
    (ok(png(48, 32, 1)), "there"),  # smaller, another format
    (ok(webp(192, 128, 1)), "there"),
    (redirect("/moved.jpg"), "there"),
    (ok(jpeg(96, 64, 2)), "changed"),
    (ok(gif(96, 64, 3)), "changed"),
    (ok(b"<html>We are sorry.</html>"), "changed"),
    (ok(b""), "changed"),
    (ok(THEIRS[:400]), "changed"),
    (redirect("/page.html"), "changed"),
    (NOT_THERE, "gone_once"),
    (ok(b"", status="410 Gone"), "gone_once"),
    (redirect("/nowhere.jpg"), "gone_once"),
    (ok(THEIRS, status="401 No"), "unknown"),
    (ok(b"", status="403 Forbidden"), "unknown"),
    (ok(b"", status="429 Slow down"), "unknown"),
    (ok(b"", status="451 Legal"), "unknown"),
    (ok(b"", status="500 Oops"), "unknown"),
    (ok(b"", status="503 Busy"), "unknown"),
    (ok(b"", status="204 Nothing"), "unknown"),
    (ok(b"", "cf-mitigated: challenge", status="404 Not Found"), "unknown"),
    (ok(THEIRS, "cf-mitigated: challenge"), "unknown"),
    (redirect("http://127.0.0.1:22/"), "unknown"),
    (redirect("/a.jpg"), "unknown"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + THEIRS, "unknown"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "unknown"),
    (b"garbage", "unknown"),
    (b"", "unknown"),
    # What programs send that are old, odd or broken:
    (b"HTTP/1.0 200 OK\r\n\r\n" + THEIRS, "there"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(THEIRS), "there"),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + ok(THEIRS), "there"),
    (in_chunks(THEIRS, "Trailer: X-T", trailer=b"X-T: 1\r\n"), "there"),
    (in_chunks(gzip.compress(THEIRS, mtime=0), coding="gzip, chunked"), "unknown"),
    (ok(twice_packed(THEIRS), "Content-Encoding: gzip", "Content-Encoding: gzip"), "there"),
    (ok(THEIRS, "Content-Encoding: utf-8"), "there"),
    (ok(THEIRS, "Content-Encoding: zstd"), "unknown"),
    (ok(THEIRS, "Content-Encoding: br"), "unknown"),
    (ok(THEIRS, "Set-Cookie: a=b", "Strict-Transport-Security: max-age=9"), "there"),
    (ok(THEIRS[:100], "Content-Range: bytes 0-99/9999", status="206 Partial Content"), "unknown"),
    (b"HTTP/1.1 304 Not Modified\r\n\r\n", "unknown"),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "unknown"),
    (ok(THEIRS, "Location: /moved.jpg", status="300 Multiple Choices"), "unknown"),
    (ok(b"", status="999 Denied"), "unknown"),
    (ok(b"\x0b\x02\x80", "Content-Encoding: br", status="404 Not Found"), "gone_once"),
    (
        ok(gzip.compress(bytes(10**8), mtime=0), "Content-Encoding: gzip", status="404 No"),
        "gone_once",
    ),
    (b"HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n<html>", "gone_once"),
    # Not found, said with another status, or not said:
    (ok(b"<html><title>404 Not Found</title>", "Content-Type: text/html"), "changed"),
    (ok(b"<meta http-equiv=refresh content='0; url=/moved.jpg'>"), "changed"),
    (redirect("/", status=301), "changed"),
    (ok(b"", status="302 Found"), "unknown"),
    # Where redirects lead:
    (redirect("/caf\xe9.jpg"), "there"),
    (redirect("moved.jpg#part", status=308), "there"),
    (redirect("//xn--bcher-kva.example/moved.jpg", status=307), "there"),
    (redirect("http://b\xc3\xbccher.example/moved.jpg", status=303), "there"),
    (redirect("http://me:secret@site.example/moved.jpg"), "unknown"),
    (redirect("http://site.example:8080/moved.jpg"), "unknown"),
    (redirect("ftp://site.example/moved.jpg"), "unknown"),
    (redirect("data:image/gif;base64,R0lGODlhAQABAAAAACw="), "unknown"),
    (redirect("/" + "a" * 7_500 + "/" + "b" * 900), "unknown"),
]


async def test_an_answer_decides_the_outcome_of_its_picture(web_with):
    copies = [Copy(f"http://{n}.example/a.jpg", path=f"/p/{n}.jpg") for n in range(len(CASES))]
    web = web_with(copies)
    for number in range(len(CASES)):
        web.answers[f"{number}.example/a.jpg"] = ok(THEIRS)
        web.answers[f"{number}.example/moved.jpg"] = ok(THEIRS)
        web.answers[f"{number}.example/page.html"] = ok(HTML)
        web.answers[f"{number}.example/caf%E9.jpg"] = ok(THEIRS)
        web.answers[f"{number}.example/"] = ok(b"<html>Welcome")
    web.answers["xn--bcher-kva.example/moved.jpg"] = ok(THEIRS)
    first = await web.recheck()
    for number, (later, _) in enumerate(CASES):
        web.answers[f"{number}.example/a.jpg"] = later
    second = await web.recheck(days=1)

    assert set(verdicts(first).values()) == {"there"}
    assert first.exit_code == 0
    assert second.exit_code == 3
    found = verdicts(second)
    for number, (later, verdict) in enumerate(CASES):
        assert (later[:80], found[f"{number}.example/a.jpg"]) == (later[:80], verdict)


@pytest.mark.parametrize(
    ("after", "second"), [(0.0, "gone_once"), (0.99, "gone_once"), (1.0, "gone"), (30.0, "gone")]
)
async def test_gone_is_what_is_not_there_twice_a_day_apart(web_of, after, second):
    web = web_of(NOT_THERE, NOT_THERE)

    found = [verdicts(await web.recheck(days=days)) for days in (0, after, 0.001)]

    assert found[0] == {PICTURE: "gone_once", PAGE: "gone_once"}
    assert found[1] == {PICTURE: second, PAGE: second}
    assert found[2][PICTURE] == ("gone" if after >= 0.999 else second)


async def test_an_inconclusive_answer_does_not_change_the_time_since_first_missing(web_of):
    web = web_of(NOT_THERE)
    found = []
    for days, answer in ((0, NOT_THERE), (0.5, b""), (0.6, NOT_THERE)):
        web.answers[PICTURE] = answer
        found.append(verdicts(await web.recheck(days=days))[PICTURE])

    assert found == ["gone_once", "unknown", "gone"]


@pytest.mark.parametrize("between", [ok(THEIRS), ok(jpeg(96, 64, 2)), ok(b"<html>")])
async def test_a_match_seen_in_between_restarts_the_day(web_of, between):
    web = web_of()
    found = []
    for days, answer in (
        (0, ok(THEIRS)),
        (1, NOT_THERE),
        (1, between),
        (1, NOT_THERE),
        (1.1, NOT_THERE),
    ):
        web.answers[PICTURE] = answer
        found.append(verdicts(await web.recheck(days=days))[PICTURE])

    assert found[1] == found[3] == "gone_once"
    assert found[4] == "gone"


async def test_a_clock_that_steps_back_makes_nothing_gone(web_of):
    web = web_of(NOT_THERE)
    await web.recheck()

    assert verdicts(await web.recheck(days=-3))[PICTURE] == "gone_once"
    assert verdicts(await web.recheck(days=0.5))[PICTURE] == "gone_once"


@pytest.mark.parametrize(
    ("days", "verdict"),
    [
        ((0, -0.9, 0.901, 0.9), "gone_once"),  # wrong for a while: no day has passed
        ((0, -0.9, 0.901, 1.0), "gone"),
        ((0, -30, 0.5, 0.9), "gone_once"),  # it had been wrong: the day begins under the right time
        ((0, -30, 0.5, 1.0), "gone"),
        ((0, -0.9, 0.1, 0.1, 0.9), "gone"),
    ],
)
async def test_a_clock_that_was_wrong_shortens_no_day(web_of, days, verdict):
    web = web_of(NOT_THERE)
    web.clock.step_wall(40 * DAY)  # well after the service's answer
    found = [verdicts(await web.recheck(days=step))[PICTURE] for step in days]

    assert found == ["gone_once"] * (len(days) - 1) + [verdict]


async def test_a_later_paid_answer_overrules_and_begins_anew(web_of):
    web = web_of(NOT_THERE)
    await web.recheck()
    await web.recheck(days=1, mark=True)
    assert web.dispositions() == {f"http://{PICTURE}": "removed"}

    web.answered(START + 2 * DAY, generation=2, run="r2")

    found = web.history()[f"http://{PICTURE}"]
    assert (found.verdict, found.overruled_at, found.is_gone) == ("gone", START + 2 * DAY, False)
    assert web.dispositions() == {f"http://{PICTURE}": "open"}
    again = await web.recheck(days=2, disposition=Disposition.OPEN)
    assert verdicts(again)[PICTURE] == "gone_once"
    assert web.history()[f"http://{PICTURE}"].overruled_at is None


async def test_only_what_is_gone_is_marked_and_it_can_be_taken_back(web_with):
    names = ("gone", "once", "there", "unknown", "changed")
    copies = [Copy(f"http://site.example/{name}.jpg") for name in names]
    web = web_with(copies)
    web.answers = {f"site.example/{name}.jpg": ok(jpeg(96, 64, 1)) for name in names}
    del web.answers["site.example/gone.jpg"]
    await web.recheck(mark=True)
    del web.answers["site.example/once.jpg"]
    web.answers["site.example/unknown.jpg"] = b""
    web.answers["site.example/changed.jpg"] = ok(jpeg(96, 64, 2))

    result = await web.recheck(days=2, mark=True)

    assert {name: verdicts(result)[f"site.example/{name}.jpg"] for name in names} == {
        "gone": "gone", "once": "gone_once", "there": "there", "unknown": "unknown",
        "changed": "changed",
    }  # fmt: skip
    assert result.marked == 1
    removed = [url for url, word in web.dispositions().items() if word == "removed"]
    assert removed == ["http://site.example/gone.jpg"]
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger:
        ((word, about, note),) = ledger.execute("SELECT disposition, about, note FROM decisions")
    assert (word, about) == ("removed", "recheck")
    assert "2027-01-15" in note


async def test_a_page_that_no_longer_names_the_picture_has_changed(web_of):
    web = web_of()
    await web.recheck()
    web.answers[PAGE] = ok(b"<html>nothing here</html>")

    assert verdicts(await web.recheck()) == {PICTURE: "there", PAGE: "changed"}


async def test_a_page_that_never_named_it_is_there(web_of):
    web = web_of(ok(THEIRS), ok(b"<script>made later</script>"))

    assert verdicts(await web.recheck())[PAGE] == "there"
    assert verdicts(await web.recheck())[PAGE] == "there"


async def test_a_page_of_many_pictures_is_asked_for_once(web_with):
    copies = [
        Copy(f"http://site.example/{n}.jpg", (f"http://{PAGE}",), f"/p/{n}.jpg") for n in range(12)
    ]
    web = web_with(copies, {PAGE: ok(HTML)})

    result = await web.recheck()

    assert len(result.matches) == 12
    assert web.asked.count(PAGE) == 1
    assert web.asked.count("site.example/robots.txt") == 1


async def test_which_matches_are_asked_about(web_with):
    copies = [
        Copy("http://one.example/a.jpg", path="/p/lakes/a.jpg"),
        Copy("http://one.example/b.jpg", path="/p/b.jpg", disposition=Disposition.OPEN),
        Copy("http://cdn.one.example/c.jpg", path="/p/b.jpg"),
        Copy("http://two.example/d.jpg", path="/p/b.jpg", disposition=Disposition.REMOVED),
    ]
    web = web_with(copies)

    async def names(**request) -> str:
        return "".join(sorted(each[-5] for each in verdicts(await web.recheck(**request))))

    assert await names() == "ac"
    assert await names(disposition=Disposition.OPEN) == "b"
    assert await names(domains=("one.example",)) == "ac"
    assert await names(domains=("cdn.one.example",)) == "c"
    assert await names(images=("lakes/",)) == "a"
    assert await names(urls=("http://two.example/d.jpg",)) == "d"
    assert await names(urls=("http://*.example/*",), disposition=Disposition.NOTICED) == "ac"
    assert await names(domains=("one.example",), urls=("http://one.example/*",)) == "ab"
    with pytest.raises(UsageError, match="no match is known"):
        await web.recheck(urls=("http://three.example/",))


async def test_what_a_signal_interrupts_goes_on_where_it_stopped(web_with):
    copies = [Copy(f"http://{n:02}.example/a.jpg", path=f"/p/{n}.jpg") for n in range(60)]
    web = web_with(copies)

    def interrupt(url: str) -> None:
        if url == "30.example/a.jpg":
            os.kill(os.getpid(), signal.SIGINT)

    web.on_request = interrupt
    first = await web.recheck()
    web.on_request = lambda url: None
    second = await web.recheck()

    assert first.exit_code == 130
    assert 0 < len(first.matches) < 60
    assert second.exit_code == 0
    assert second.resumed
    assert len(second.matches) == 60
    pictures = [url for url in web.asked if url.endswith(".jpg")]
    done = {match.picture.url.partition("://")[2] for match in first.matches}
    assert all(pictures.count(url) == 1 for url in done)
    third = await web.recheck()
    assert not third.resumed
    assert len(third.matches) == 60


@pytest.mark.parametrize("change", ["later", "other"])
async def test_what_was_interrupted_long_ago_or_for_others_begins_anew(web_with, change):
    copies = [Copy(f"http://{n}.example/a.jpg", path=f"/p/{n}.jpg") for n in range(3)]
    web = web_with(copies)
    await web.recheck()
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger, ledger:
        ledger.execute("UPDATE recheck_runs SET ended_at = NULL")  # as if it had been killed

    request = {"days": 0.1} if change == "later" else {"images": ("*.jpg",)}
    result = await web.recheck(**request)

    assert not result.resumed
    assert len(result.matches) == 3


async def test_a_recheck_runs_beside_a_scan_but_not_beside_another_recheck(web_of):
    web = web_of()
    scan = StateLock(web.state, "fail")
    assert scan.acquire()
    assert (await web.recheck()).exit_code == 0
    scan.release()
    other = StateLock(web.state, "fail", TASK)
    assert other.acquire()
    with pytest.raises(LockedError, match="another recheck is running"):
        await web.recheck()
    other.release()


async def test_likeness_is_kept_to_ours_and_to_what_was_first_fetched(web_of):
    web = web_of()
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger, ledger:
        ledger.execute(
            "INSERT INTO portraits SELECT id, ?, '{}' FROM pictures", (jpeg(96, 64, 1, quality=20),)
        )
    await web.recheck()
    first = web.history()[f"http://{PICTURE}"]
    web.answers[PICTURE] = ok(jpeg(96, 64, 2))
    await web.recheck()
    second = web.history()[f"http://{PICTURE}"]

    assert first.likeness is None
    assert first.our_likeness > 0.9
    assert second.verdict is RecheckVerdict.CHANGED
    assert second.likeness < 0.5
    assert second.our_likeness < 0.5


async def test_the_same_bytes_as_ours_are_the_same_picture(web_of):
    web = web_of()
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger, ledger:
        ledger.execute("UPDATE pictures SET sha256 = ?", (hashlib.sha256(THEIRS).digest(),))
        ledger.execute(
            "INSERT INTO portraits SELECT id, ?, '{}' FROM pictures", (jpeg(60, 40, 1, quality=5),)
        )
    await web.recheck()

    assert web.history()[f"http://{PICTURE}"].our_likeness == 1.0


async def test_an_unlike_picture_that_was_never_fetched_before_is_said_to_be_so(web_of):
    web = web_of(ok(jpeg(96, 64, 9)))
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger, ledger:
        ledger.execute("INSERT INTO portraits SELECT id, ?, '{}' FROM pictures", (THEIRS,))
    note = "like ours; not fetched before, so it may have been another picture; ours is one.jpg\n"

    assert note in as_text(await web.recheck())
    assert note not in as_text(await web.recheck())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "there is no picture: the answer is empty"),
        (b"Sorry", "what is there is no picture"),
        (b"<html>", "there is no picture but an HTML page"),
    ],
)
async def test_what_is_there_instead_of_a_picture_is_said_in_a_sentence(web_of, body, said):
    web = web_of(ok(body))
    await web.recheck()

    assert web.history()[f"http://{PICTURE}"].detail == said


async def test_a_copy_of_ours_is_there_whatever_was_first_fetched(web_of):
    web = web_of(ok(jpeg(96, 64, 9)))
    with closing(sqlite3.connect(web.state / FILE_NAME)) as ledger, ledger:
        ledger.execute("INSERT INTO portraits SELECT id, ?, '{}' FROM pictures", (THEIRS,))
    await web.recheck()
    web.answers[PICTURE] = ok(THEIRS)

    assert verdicts(await web.recheck())[PICTURE] == "there"
