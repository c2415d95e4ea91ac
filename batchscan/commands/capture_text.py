"""The output of `evidence capture`, for each match and for all."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from batchscan.capture.capture_files import SUFFIX
from batchscan.capture.trusted_timestamps import openssl_line
from batchscan.commands.capture import Captured
from batchscan.console.terminal import print_status
from batchscan.enums import CaptureKind
from batchscan.ledger.captures import CapturedResource
from batchscan.report.wording import amount
from batchscan.util.escaping import printable, replace_surrogates
from batchscan.util.timestamps import rfc3339

_OK = 2  # hundred and more, as HTTP has it


@dataclass(slots=True)
class CaptureOutput:
    """Prints the result for each match, and a summary."""

    as_json: bool
    wants_screenshot: bool
    counts: Counter[str] = field(default_factory=Counter)
    matches: list[dict[str, object]] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)  # commands that check timestamps
    failed: int = 0  # matches of which something is missing

    def __call__(self, captured: Captured) -> None:
        """Say what became of one."""
        problems = [*_problems(captured)]
        if self.wants_screenshot and _lacks_screenshot(captured):
            problems.append("screenshot: the browser did not make one")
        self.failed += bool(problems)
        self.counts["captured"] += 1
        self.counts["incomplete"] += bool(problems)
        if self.as_json:
            self.matches.append(_fields(captured))
        print_status(f"{printable(captured.match.url)}: {_content(captured)}")
        for problem in problems:
            print_status(f"  {problem}")
        if captured.file.timestamp is not None:
            self.checks.append(_check_line(captured))

    def json(self) -> str:
        """Everything, as one object."""
        return json.dumps(
            {
                "schema": 1,
                "counts": {name: self.counts[name] for name in ("captured", "incomplete")},
                "matches": self.matches,
            }
        )

    def summary(self) -> str:
        """Everything, in words."""
        from batchscan.report.wording import amount  # noqa: PLC0415 - --help does without

        line = f"{amount(self.counts['captured'], 'match')} captured"
        if self.failed:
            line += f", {self.failed:,} of them incomplete"
        lines = [line]
        if self.checks:
            lines += ["To check a timestamp without batchscan:", f"  {self.checks[0]}"]
        return "\n".join(lines)


def _check_line(captured: Captured) -> str:
    path = captured.path
    return printable(openssl_line(shlex.quote(path), shlex.quote(f"{path}{SUFFIX}")))


def _problems(captured: Captured) -> Iterator[str]:
    for resource in captured.file.resources:
        wanted = resource.kind in (CaptureKind.PICTURE, CaptureKind.PAGE)
        if wanted and (resource.http_status is None or resource.sha256 is None):
            trouble = printable(resource.trouble or "no answer")
            yield f"{resource.kind} {printable(resource.url)}: {trouble}"
    if captured.trouble:
        yield f"timestamp: {printable(captured.trouble)}"


def _lacks_screenshot(captured: Captured) -> bool:
    """Whether there is a page, and no screenshot of it."""
    resources = captured.file.resources
    is_shown = any(
        resource.kind is CaptureKind.PAGE
        and resource.sha256
        and (resource.http_status or 0) // 100 == _OK
        for resource in resources
    )
    return is_shown and not any(resource.kind is CaptureKind.SCREENSHOT for resource in resources)


def _content(captured: Captured) -> str:
    resources = captured.file.resources
    picture = next(
        (resource for resource in resources if resource.kind is CaptureKind.PICTURE), None
    )
    pages = [_status(resource) for resource in resources if resource.kind is CaptureKind.PAGE]
    rest = sum(resource.kind is CaptureKind.RESOURCE for resource in resources)
    parts = [f"picture {_status(picture)}"] if picture else []
    if picture is not None and picture.our_likeness is not None:
        parts[0] += f", {picture.our_likeness:.0%} like ours"
    elif picture is not None and _is_no_picture(picture):
        parts[0] += ", but it cannot be shown as a picture"
    parts += [f"page{'s' if len(pages) > 1 else ''} {', '.join(pages)}"] if pages else []
    parts += [f"{amount(rest, 'part')} of the page"] if rest else []
    parts += (
        ["screenshot"]
        if any(resource.kind is CaptureKind.SCREENSHOT for resource in resources)
        else []
    )
    return f"{'; '.join(parts)}; {printable(captured.file.name)}"


def _is_no_picture(resource: CapturedResource) -> bool:
    """Whether something arrived whole, as a picture would, that is none or cannot be decoded."""
    arrived = (resource.http_status or 0) // 100 == _OK and not resource.trouble
    return arrived and resource.preview is None


def _status(resource: CapturedResource) -> str:
    return "no answer" if resource.http_status is None else f"HTTP {resource.http_status}"


def _share(likeness: float | None) -> float | None:
    return None if likeness is None else round(likeness, 2)


def _fields(captured: Captured) -> dict[str, object]:
    file = captured.file
    stamp = file.timestamp
    return {
        "url": replace_surrogates(captured.match.url),
        "picture_sha256": captured.match.sha256,
        "captured_at": rfc3339(file.captured_at),
        "file": replace_surrogates(captured.path),
        "bytes": file.size,
        "sha256": file.sha256,
        "timestamp": None
        if stamp is None
        else {"url": stamp.url, "at": None if stamp.at is None else rfc3339(stamp.at)},
        "resources": [
            {
                "kind": resource.kind.value,
                "url": replace_surrogates(resource.url),
                "http_status": resource.http_status,
                "trouble": resource.trouble,
                "bytes": resource.size,
                "sha256": resource.sha256,
                "media_type": resource.media_type,
                "likeness": _share(resource.likeness),
                "our_likeness": _share(resource.our_likeness),
            }
            for resource in file.resources
        ],
    }
