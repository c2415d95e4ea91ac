"""What a report says of versions of one picture."""

from __future__ import annotations

from collections.abc import Iterator

from batchscan.report.schema import Report
from batchscan.report.wording import amount


def renditions(report: Report) -> Iterator[str]:
    """Which pictures are versions of others, and what not asking about them saves."""
    files = report.files
    if not files.renditions:
        return
    one = files.renditions == 1
    versions = "is a version of another" if one else "are versions of others"
    said = f"  {files.renditions:,} of {amount(files.seen, 'picture')} {versions}"
    if report.run.renditions == "cover":
        would = "would be " if report.run.dry_run else ""
        answers = "its answer" if one else "their answers"
        yield f"{said}: {would}covered by {answers}, not asked about."
    else:
        saved = amount(files.renditions_credits or 0, "credit")
        yield f"{said}; `--renditions cover` saves {saved}."
