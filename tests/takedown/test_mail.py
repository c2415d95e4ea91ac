"""A notice as a mail: its text, a picture of each work, and nothing that anybody could slip in."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from batchscan.model import Provenance, TrackedMatch
from batchscan.takedown.mail import as_mail
from batchscan.takedown.select import InfringedWork, Notice
from tests.support.pictures import jpeg, webp
from tests.support.report_builders import HOSTILE, match

SMALL = jpeg(64, 48, 1)
TEXT = "NOTICE to Größe GmbH\n.\nFrom here on\n" + "x" * 2_000 + "\n"


def work(thumbnail: bytes | None, *copies: TrackedMatch) -> InfringedWork:
    about = Provenance()
    return InfringedWork("a.jpg", "ab" * 32, "jpeg", 640, 480, about, copies, b"/a.jpg", thumbnail)


def opened(data: bytes | None) -> EmailMessage:
    assert data is not None
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects
    return mail


def test_it_holds_the_text_and_a_picture_of_each_work_as_it_is():
    copy = match("https://shop.example/1.jpg")
    notice = Notice("shop.example", (work(SMALL, copy), work(None, copy), work(webp(8, 8), copy)))
    mail = opened(as_mail(TEXT.encode(), notice))

    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == TEXT
    pictures = [(each.get_filename(), each.get_content()) for each in mail.iter_attachments()]
    assert pictures == [("work-1.jpg", SMALL), ("work-3.webp", webp(8, 8))]
    assert mail["Subject"] == "Notice about copies of pictures on shop.example"
    assert mail["X-Unsent"] == "1"
    assert [mail[name] for name in ("To", "From", "Date", "Message-ID")] == [None] * 4


def test_the_same_notice_gives_the_same_bytes_and_lines_that_mail_takes():
    notice = Notice("shop.example", (work(SMALL),))
    data = as_mail(TEXT.encode(), notice)

    assert data is not None
    assert data == as_mail(TEXT.encode(), notice)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert data.count(b"\n") == data.count(b"\r\n")


def test_without_a_picture_there_is_none():
    assert as_mail(b"text", Notice("shop.example", (work(None), work(b"<svg>")))) is None


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_no_site_adds_a_header(text):
    notice = Notice(text, (work(SMALL),))
    mail = opened(as_mail(text.encode("utf-8", "replace"), notice))

    assert set(mail) == {"Subject", "X-Unsent", "MIME-Version", "Content-Type"}
    assert len(list(mail.iter_attachments())) == 1
