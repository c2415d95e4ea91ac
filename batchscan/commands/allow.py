"""Making an allow rule, and finding its file: for `allow` and for `review`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from batchscan.allow import Rule
from batchscan.allow.parse import PARSERS, parse_rule
from batchscan.errors import UsageError
from batchscan.settings.load import LoadedSettings
from batchscan.settings.locations import allow_file
from batchscan.url_patterns import UrlPattern
from batchscan.util.escaping import printable


def make_rule(target: str | None, given: Mapping[str, object]) -> Rule:
    """A rule out of what was given.

    Args:
        target: the domain or URL.
        given: texts by the rule's keys (`reason`, `images`...); anything else is left alone.

    Raises:
        UsageError: something is no rule, is missing, or would allow everything.
    """
    values: dict[str, object] = {}
    if target is not None:
        pattern = UrlPattern.of(target)
        if pattern.is_public_suffix:
            raise UsageError(
                f"'{printable(target)}' is not a site but a public suffix",
                advice="name the site, as in example.com",
            )
        values["domain" if pattern.is_domain else "url"] = pattern
    for key, read in PARSERS.items():
        text = given.get(key)
        if isinstance(text, str):
            try:
                values[key] = read(text)
            except UsageError as error:
                raise UsageError(f"--{key}: {error}", advice=error.advice) from None
    if values.keys() <= {"reason", "by", "until"}:
        raise UsageError(
            "the rule would cover everything", advice="give DOMAIN or URL, --images or --sha256"
        )
    return parse_rule(values)


def rules_path(loaded: LoadedSettings) -> Path:
    """The file that rules are kept in; it need not be there.

    Raises:
        UsageError: there is no home folder for it.
    """
    path = allow_file(loaded.settings, loaded.file)
    if path is None:
        raise UsageError(
            "no home folder is known for the rules",
            advice="name a file with --allow FILE or scan.allow",
        )
    return path
