"""Building the report of a run from its counts and match summary."""

from __future__ import annotations

from itertools import islice

import msgspec

from batchscan.enums import Status
from batchscan.errors import BatchscanError
from batchscan.report import schema
from batchscan.report.wording import money_of
from batchscan.report_sections import MatchSummary
from batchscan.tally import Tally
from batchscan.util.escaping import path_fields, replace_surrogates

MAX_FOLDERS = 100  # unreadable ones that a report names


def build(
    run: schema.Run,
    tally: Tally,
    summary: MatchSummary,
    *,
    rendition_price: int = 1,
    credit_price: str | None = None,
    balance: int | None = None,
) -> schema.Report:
    """Make the report of a run, apart from what only the run itself knows.

    That is `alerts`, `api`, `cluster`, `unchecked_files` and `unchecked_table`.

    Args:
        run: the section about the run.
        tally: the counts of its files.
        summary: the matches of its pictures.
        rendition_price: credits for sending one version of a picture.
        credit_price: what a credit costs, such as 0.01 EUR; None if it is not known.
        balance: credits left on the account; None if it is not known.

    Raises:
        BatchscanError: the counts do not add up, which is a bug.
    """
    fault = tally.fault()
    if fault:
        raise BatchscanError(f"the books do not close: {fault}")
    return schema.Report(
        schema=schema.SCHEMA,
        run=_encodable(run),
        files=_files(tally, rendition_price),
        reasons=dict(sorted(tally.reasons.items())),
        unchecked=dict(sorted(tally.unchecked.items())),
        credits=schema.Credits(
            charged=tally.charged,
            expected=tally.expected,
            saved_by_reuse=tally.saved_by_reuse,
            outcome_unknown=tally.outcome_unknown,
            balance=balance,
            money=None if credit_price is None else _money(tally, credit_price),
        ),
        matches=summary.matches,
        run_matches=summary.run_matches,
        domains=list(summary.domains),
        images=list(summary.images),
        allow_rules=list(summary.rules),
        rechecks=summary.rechecks,
        api=schema.NOTHING_ASKED,
    )


def _encodable(run: schema.Run) -> schema.Run:
    """The section without surrogates, which paths and messages may have and JSON may not."""
    return msgspec.structs.replace(
        run,
        roots=[path_fields(root)[0] for root in run.roots],
        message=run.message and replace_surrogates(run.message),
        advice=run.advice and replace_surrogates(run.advice),
    )


def with_summary(report: schema.Report, summary: MatchSummary) -> schema.Report:
    """Replace the matches in a report."""
    return msgspec.structs.replace(
        report,
        matches=summary.matches,
        run_matches=summary.run_matches,
        domains=list(summary.domains),
        images=list(summary.images),
        allow_rules=list(summary.rules),
        rechecks=summary.rechecks,
    )


def _money(tally: Tally, price: str) -> schema.Money:
    return schema.Money(
        price=price,
        charged=money_of(tally.charged, price),
        expected=money_of(tally.expected, price),
        outcome_unknown=money_of(tally.outcome_unknown, price),
    )


def _renditions_credits(tally: Tally, price: int) -> int | None:
    if tally.renditions is None or tally.renditions_credits is not None:
        return tally.renditions_credits
    return tally.renditions * price


def _files(tally: Tally, price: int) -> schema.Files:
    return schema.Files(
        seen=tally.seen,
        checked=tally.seen - tally.unchecked.total(),
        unchecked=tally.unchecked.total(),
        unchanged=tally.statuses[Status.UNCHANGED],
        scanned=tally.statuses[Status.SCANNED],
        reused=tally.statuses[Status.REUSED],
        covered=tally.statuses[Status.COVERED],
        renditions=tally.renditions,
        renditions_credits=_renditions_credits(tally, price),
        rejected=tally.statuses[Status.REJECTED],
        failed=tally.statuses[Status.FAILED],
        deferred=tally.statuses[Status.DEFERRED],
        unchanged_rejected=tally.unchanged_rejected.total(),
        ignored=tally.ignored,
        excluded=tally.excluded,
        unreadable_folders=tally.unreadable_folders,
        empty_roots=[path_fields(root)[0] for root in tally.empty_roots],
        bytes=tally.bytes,
        unreadable_folder_names=[
            path_fields(path)[0] for path in islice(tally.unreadable_names, MAX_FOLDERS)
        ],
        converted=tally.converted.total(),
        converted_formats=dict(sorted(tally.converted.items())),
    )
