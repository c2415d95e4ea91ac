"""A match, as alerts speak of it."""

from __future__ import annotations

import json
from typing import Any


def match(url: str, **changes) -> bytes:
    fields: dict[str, Any] = {
        "url": url, "kind": "full", "state": "new", "was": None, "pages": [], "domain": "x",
        "path": "/images/holiday.jpg", "path_b64": None, "sha256": "0" * 64, "first_seen": None,
    }  # fmt: skip
    return json.dumps(fields | changes).encode()
