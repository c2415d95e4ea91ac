"""JUnit XML for GitLab, Jenkins and GitHub's reporters.

Suite `coverage` has the run, each reason why pictures have no answer, and every figure as a
property. Suite `matches` has a test case for each matched picture, which fails if its matches need
action.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr  # it only writes

from batchscan.enums import DeferReason, ExitReason, FailReason, MatchKind, RejectReason
from batchscan.model import TrackedMatch
from batchscan.report.coverage import coverage, losses
from batchscan.report.rechecks import described
from batchscan.report.schema import Report, figures
from batchscan.report.text import NO_SITE
from batchscan.report.unchecked_names import rest
from batchscan.report.wording import amount, explained, shortened
from batchscan.report_sections import PictureMatches
from batchscan.util.escaping import printable
from batchscan.util.paths import split_path
from batchscan.util.spool import Spool

_ENDINGS = (ExitReason.OK, ExitReason.MATCHES, ExitReason.PARTIAL)  # of runs that went to their end
_SITES = 5  # named in a message
_MAX_MATCHES = 100  # listed for one picture: GitLab reads no file of 30 MB
_MAX_PAGES = 10
_SITE_WIDTH = 40
_URL_WIDTH = 2_000


def render(report: Report, pictures: Iterable[PictureMatches]) -> Iterator[bytes]:
    """Render the XML; test cases are spooled to a temporary file until their number is known.

    Raises:
        StorageError: the disk has no room for that.
    """
    with Spool() as aside:
        failures = 0
        for picture in pictures:
            failures += _has_to_do(picture)
            aside.add(_picture_case(picture).encode())
        yield from _parts(report, aside, failures)


def _parts(report: Report, aside: Spool, failures: int) -> Iterator[bytes]:
    cases = list(_coverage_cases(report))
    errors = sum(outcome == "error" for outcome, _ in cases)
    skipped = sum(outcome == "skipped" for outcome, _ in cases)
    time = f'time="{report.run.duration_s:.3f}"'
    counts = f'tests="{len(cases) + aside.count}" failures="{failures}" errors="{errors}"'
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="batchscan" {counts} {time}>\n'
        f'<testsuite name="coverage" tests="{len(cases)}" failures="0" errors="{errors}"'
        f' skipped="{skipped}" {time} {_timestamp(report)}>\n<properties>\n'
    ).encode()
    for name, number in figures(report).items():
        yield f'<property name={_attribute(name)} value="{number}"/>\n'.encode()
    yield b"</properties>\n"
    for _, case in cases:
        yield case.encode()
    yield (
        f'</testsuite>\n<testsuite name="matches" tests="{aside.count}" failures="{failures}"'
        f' errors="0" skipped="0" time="0" {_timestamp(report)}>\n'
    ).encode()
    yield from aside.read_all()
    yield b"</testsuite>\n</testsuites>\n"


def _timestamp(report: Report) -> str:
    return f'timestamp="{report.run.started_at[:19]}"'  # UTC, and no zone is allowed


def _coverage_cases(report: Report) -> Iterator[tuple[str, str]]:
    """Outcome and XML of each test case about coverage."""
    yield _run_case(report)
    counts = report.unchecked or report.reasons  # an old report has the run's own reasons only
    for kinds, outcome, what in (
        (FailReason, "error", "failed"),
        (DeferReason, "skipped", "deferred"),
        (RejectReason, "skipped", "rejected"),
    ):
        for reason in kinds:
            if number := counts.get(reason, 0):
                message = f"{amount(number, 'picture')} {what}: {explained(number, reason)}"
                names = _unchecked(report, reason, number)
                case = _coverage_case(f"{what}: {reason}", outcome, reason, message, names)
                yield outcome, case
    if number := report.files.unreadable_folders:
        folders = report.files.unreadable_folder_names
        message = f"{amount(number, 'folder')} could not be read"
        names = [*folders, *_rest(report, number - len(folders))]
        case = _coverage_case("unreadable folders", "error", "unreadable_folders", message, names)
        yield "error", case
    for root in report.files.empty_roots:
        message = f"{root} is empty or gone, and pictures were seen there before"
        yield "error", _coverage_case(f"empty: {root}", "error", "empty_root", message)


def _run_case(report: Report) -> tuple[str, str]:
    run = report.run
    if run.partial or run.exit_reason not in _ENDINGS:
        message = "; ".join(filter(None, (run.message or "the run ended early", run.advice)))
        return "error", _coverage_case("the run", "error", run.exit_reason, message)
    lines = _text([*coverage(report), *losses(report, str)])
    body = f"<system-out>{lines}</system-out>"
    return "passed", f'<testcase classname="coverage" name="the run" time="0">{body}</testcase>\n'


def _unchecked(report: Report, reason: str, number: int) -> list[str]:
    """The named pictures without an answer for a reason, and where to find the others."""
    files = [file for file in report.unchecked_files if file.reason == reason]
    named = [f"{file.path}: {file.detail}" if file.detail else file.path for file in files]
    return [*named, *_rest(report, number - len(files))]


def _rest(report: Report, more: int) -> list[str]:
    return [f"and {sentence}" for sentence in rest(report, more)]


def _coverage_case(
    name: str, outcome: str, kind: str, message: str, names: Sequence[str] = ()
) -> str:
    text = _text([message, *names])
    return (
        f'<testcase classname="coverage" name={_attribute(name)} time="0">'
        f"<{outcome} type={_attribute(kind)} message={_attribute(message)}>{text}</{outcome}>"
        "</testcase>\n"
    )


def _picture_case(picture: PictureMatches) -> str:
    folder, name = split_path(os.fsdecode(picture.path))
    if _has_to_do(picture):
        to_do = [match for match in picture.matches if match.needs_action]
        worst = next(kind for kind in MatchKind if any(match.kind is kind for match in to_do))
        message = f"{_by_kind(to_do)} on {_sites(to_do)}"
        body = _text([message, f"SHA-256 {picture.sha256}", *_match_lines(to_do)])
        verdict = (
            f"<failure type={_attribute(worst)} message={_attribute(message)}>{body}</failure>"
        )
    else:
        verdict = f"<system-out>{_text([_settled(picture)])}</system-out>"
    case = f"<testcase classname={_attribute(folder)} name={_attribute(name)}"
    return f'{case} time="0">{verdict}</testcase>\n'


def _has_to_do(picture: PictureMatches) -> bool:
    return any(match.needs_action for match in picture.matches)


def _by_kind(matches: list[TrackedMatch]) -> str:
    counts = Counter(match.kind for match in matches)
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in MatchKind if counts[kind])


def _sites(matches: list[TrackedMatch]) -> str:
    counts = Counter(match.domain or NO_SITE for match in matches)
    named = ", ".join(shortened(site, _SITE_WIDTH) for site, _ in counts.most_common(_SITES))
    rest = len(counts) - _SITES
    return f"{named} and {amount(rest, 'more site')}" if rest > 0 else named


def _match_lines(matches: list[TrackedMatch]) -> Iterator[str]:
    for match in matches[:_MAX_MATCHES]:
        yield f"{match.state} {match.kind} {match.disposition}: {match.url}"
        if match.recheck is not None:
            yield f"    {described(match.recheck)}"
        yield from (f"    on {page}" for page in match.pages[:_MAX_PAGES])
        yield from _more(len(match.pages) - _MAX_PAGES, "    on")
    yield from _more(len(matches) - _MAX_MATCHES, "and")


def _more(number: int, start: str) -> Iterator[str]:
    if number > 0:
        yield f"{start} {number:,} more; matches.csv has them all"


def _settled(picture: PictureMatches) -> str:
    """Why a picture's matches need no action."""
    counts = Counter(match.disposition if match.is_present else "gone" for match in picture.matches)
    reasons = ", ".join(f"{number:,} {why}" for why, number in counts.most_common())
    return f"nothing to do: {reasons or 'no match'}"


def _attribute(text: str) -> str:
    return quoteattr(_shown(text))


def _text(lines: Iterable[str]) -> str:
    return "\n".join(escape(_shown(line)) for line in lines)


def _shown(text: str) -> str:
    """One line of valid XML text, without commands that some readers execute (`[[ATTACHMENT|`)."""
    return shortened(printable(text), _URL_WIDTH).replace("[[", r"[\x5b")
