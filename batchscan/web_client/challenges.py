"""Pages that are shown to programs instead of what they asked for."""

from __future__ import annotations

from typing import Final

from batchscan.web_client.fetch_results import Hop

# What the services that guard sites write beside their challenge.
_MARKS: Final = {
    "cf-mitigated": ("challenge",),  # Cloudflare
    "x-amzn-waf-action": ("challenge", "captcha"),
    "x-vercel-mitigated": ("challenge", "deny"),
    "x-datadome": ("protected",),
    "x-dd-b": ("1", "2"),  # DataDome
}


def is_challenge(hop: Hop) -> bool:
    """Whether a response is a challenge page; it says nothing about what was asked for."""
    return any((hop.header(name) or "").lower() in values for name, values in _MARKS.items())
