"""One upload and its reply; used by the driver and by workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from batchscan.copyleaks import errors as vendor
from batchscan.copyleaks.requests import Multipart, check_form
from batchscan.engines.interface import Reply, Success
from batchscan.engines.vendor_mapping import to_reply
from batchscan.model import Image
from batchscan.settings import Api

if TYPE_CHECKING:
    from batchscan.copyleaks.channel import Checked


async def upload(
    check: Callable[[Multipart], Awaitable[Checked]],
    scan_id: str,
    image: Image,
    api: Api,
    now: Callable[[], float],
) -> Reply:
    """Send one picture once with `check`; `now` returns seconds since 1970.

    Raises:
        AuthRefused: the account may not use the API.
        NoCredits: the account has no credits left.
        Unavailable: the API is not at this address.
    """
    sandbox = api.sandbox
    form = check_form(scan_id, image.data, image.file_name, image.content_type, sandbox=sandbox)
    try:
        checked = await check(form)
    except vendor.CopyleaksError as error:
        return to_reply(error, api)
    return Success(checked.body, now(), checked.headers)
