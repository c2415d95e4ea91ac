"""Sentences about versions of one picture."""

from __future__ import annotations

from collections.abc import Iterator

from batchscan.rendition_types import JOINED_RULE, RAW_RULE
from batchscan.report.schema import Report
from batchscan.report.wording import amount, money_of
from batchscan.report_sections import Version
from batchscan.util.escaping import printable


def renditions(report: Report) -> Iterator[str]:
    """Which pictures are versions of others, and what not asking about them may save.

    Up to: files are counted by their thumbnails, and covered only if their pixels agree, too.
    """
    files = report.files
    if not files.renditions:
        return
    one = files.renditions == 1
    versions = "is a version of another" if one else "are versions of others"
    opening = f"  {files.renditions:,} of {amount(files.seen, 'picture')} {versions}"
    if report.run.renditions == "cover":
        would = "would be " if report.run.dry_run else ""
        answers = "its answer" if one else "their answers"
        yield f"{opening}: {would}covered by {answers}, not asked about."
    else:
        yield f"{opening}; `--renditions cover` {_savings(report)}."


def _savings(report: Report) -> str:
    saved, money = report.files.renditions_credits, report.credits.money
    if not saved:  # an account without a price, or the sandbox
        return f"does not ask about {'it' if report.files.renditions == 1 else 'them'}"
    in_money = "" if money is None else f" ({money_of(saved, money.price)})"
    return f"saves up to {amount(saved, 'credit')}{in_money}"


def likeness_of(version: Version) -> str:
    """How alike a version and the picture that covers it are, or by which rule they are one."""
    if version.rule == JOINED_RULE:
        who = printable(version.who) or "somebody"
        return f"joined by {who}{f': {printable(version.note)}' if version.note else ''}"
    bits, levels = amount(version.distance, "bit"), amount(version.difference, "level")
    pair = ", of the same shot" if version.rule == RAW_RULE else ""
    return f"{bits} and {levels} apart{pair}"
