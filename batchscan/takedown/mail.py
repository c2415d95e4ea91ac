"""A notice as a draft of a mail: the plain text, and a thumbnail of each work as an attachment.

Plain text cannot show pictures, and most sites accept notices by mail.
"""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from batchscan.report.image_type import image_subtype
from batchscan.report.wording import shortened
from batchscan.takedown.select import Notice
from batchscan.util.escaping import printable

_MAX_DOMAIN: Final = 200  # characters
_MARK: Final = 32  # characters of a boundary


def as_mail(text: bytes, notice: Notice) -> bytes | None:
    """Make a mail of a notice's plain text; None if no work has a picture.

    It has no sender, receiver or date: mail programs open it as a draft.
    The same notice gives the same bytes.

    Args:
        text: the notice, in UTF-8.
        notice: whose works' pictures are added.
    """
    pictures = [
        (number, work.thumbnail, kind)
        for number, work in enumerate(notice.works, 1)
        if work.thumbnail and (kind := image_subtype(work.thumbnail))
    ]
    if not pictures:
        return None
    mail = EmailMessage(SMTP)
    site = shortened(printable(notice.domain), _MAX_DOMAIN) or "unknown site"
    mail["Subject"] = f"Notice about copies of pictures on {site}"
    mail["X-Unsent"] = "1"  # Outlook then offers to send it
    mail.set_content(text.decode("utf-8", "replace"), cte="quoted-printable")
    for number, picture, kind in pictures:
        mail.add_attachment(
            picture,
            maintype="image",
            subtype=kind,
            disposition="inline",
            filename=f"work-{number}.{kind.replace('jpeg', 'jpg')}",
        )
    mail.set_boundary(f"notice-{hashlib.sha256(text).hexdigest()[:_MARK]}")
    return mail.as_bytes()
