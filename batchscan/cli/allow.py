"""`batchscan allow add|list`: rules for matches that are allowed, and what they cover."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from batchscan.cli.help import GroupedOption, HelpCommand, HelpGroup
from batchscan.cli.options import allow_option, folder_options, settings_of
from batchscan.console.terminal import colored, print_data, print_status
from batchscan.util.escaping import escape_json, printable, replace_surrogates

if TYPE_CHECKING:
    from batchscan.allow import AllowRules, Rule, Usage
    from batchscan.report_sections import AllowRule
    from batchscan.settings import Settings

_RULE = "The rule"


@click.command(
    "add",
    cls=HelpCommand,
    short_help="write a rule to the end of the file",
    help="Add a rule for copies that may stay. It covers DOMAIN and everything below it, or all "
    "matching URLs (* matches anything); with --images or --sha256, only for these pictures. The rule is "
    "added at the end of the file; the rest of the file does not change.",
)
@click.argument("target", required=False, type=click.UNPROCESSED, metavar="[DOMAIN|URL]")
@click.option(
    "--reason",
    required=True,
    cls=GroupedOption,
    group=_RULE,
    metavar="TEXT",
    help="why it may stay",
)
@click.option(
    "--until",
    cls=GroupedOption,
    group=_RULE,
    metavar="DATE",
    help="the last day, such as 2027-03-01",
)
@click.option(
    "--images",
    cls=GroupedOption,
    group=_RULE,
    metavar="GLOB",
    help="only for pictures whose whole path matches this gitignore pattern, such as stock/",
)
@click.option(
    "--sha256",
    cls=GroupedOption,
    group=_RULE,
    metavar="HEX",
    help="only for the picture with this content",
)
@click.option("--by", cls=GroupedOption, group=_RULE, metavar="NAME", help="who decided")
@allow_option
@folder_options
def add(*, target: str | None, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.allow import AllowRules, add_rule  # noqa: PLC0415 - --help does without
    from batchscan.commands.allow import rules_path  # noqa: PLC0415

    rule = _rule(target, parameters)
    loaded = settings_of(parameters, credentials=False)
    path = rules_path(loaded)
    usage = _usage(loaded.settings, AllowRules([rule]))
    add_rule(path, rule)
    print_data("\n".join(_added(path, rule, usage)))
    return 0


@click.command(
    "list",
    cls=HelpCommand,
    short_help="each rule, and how many matches it covers now",
    help="Show each rule, how many current matches it covers, and which rules are past their date "
    "or cover nothing.",
)
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, group="What", help="as one JSON object"
)
@allow_option
@folder_options
def list_(*, as_json: bool, **parameters: object) -> int:
    """Run the command; returns the exit code."""
    from batchscan.allow import load_rules  # noqa: PLC0415 - --help does without
    from batchscan.commands.allow import rules_path  # noqa: PLC0415

    loaded = settings_of(parameters, credentials=False)
    path = rules_path(loaded)
    rules = load_rules(loaded.settings, loaded.file)
    usage = _usage(loaded.settings, rules)
    if as_json:
        text = json.dumps(_object(path, rules, usage), indent=2)
        print_data(escape_json(text.encode()) + b"\n")
    else:
        print_data("\n".join(_page(path, usage)))
    return 0


command = HelpGroup(
    "allow",
    add,
    list_,
    text="Rules for copies that may stay, such as those on your own sites and your licensees'. "
    "Allowed matches are not on the worklist and not counted by --fail-on; reports show how many.",
)


def _rule(target: str | None, given: Mapping[str, object]) -> Rule:
    from batchscan.commands.allow import make_rule  # noqa: PLC0415 - as above

    rule = make_rule(target, given)
    if not rule.holds(_today()):
        print_status(f"batchscan: {rule.until} is in the past, so this rule covers nothing")
    return rule


def _today() -> date:
    return datetime.now(UTC).date()


def _usage(settings: Settings, rules: AllowRules) -> Usage:
    from batchscan.allow import Usage  # noqa: PLC0415 - as above
    from batchscan.state.access import read_ledger  # noqa: PLC0415

    usage = Usage(rules, _today())
    with read_ledger(settings, may_be_absent=True) as ledger:
        for match in ledger.history.present_matches():
            usage.add(match.url, match.sha256, match.paths)
    return usage


def _added(path: Path, rule: Rule, usage: Usage) -> Iterator[str]:
    (use,) = usage.uses()
    yield f"added to {printable(str(path))}:"
    yield f"  {rule.what}"
    yield f"  {_why(use)}"
    yield f"It covers {use.covers:,} of {usage.matches:,} current matches."


def _page(path: Path, usage: Usage) -> Iterator[str]:
    uses = usage.uses()
    yield f"{printable(str(path))}: {len(uses):,} rule{'' if len(uses) == 1 else 's'}"
    cover = "It covers" if len(uses) == 1 else "They cover"
    yield f"{cover} {usage.allowed:,} of {usage.matches:,} current matches."
    for use in uses:
        yield f"{use.covers:>9,}  {_mark(use)}{use.what}"
        yield f"{'':>9}  {_why(use)}"
    yield from _advice(uses)


def _mark(use: AllowRule) -> str:
    word = "past its date" if use.expired else "" if use.covers else "covers nothing"
    return f"{colored(word, 'yellow', sys.stdout)}: " if word else ""


def _why(use: AllowRule) -> str:
    more = [f"by {use.by}" if use.by else "", f"until {use.until}" if use.until else ""]
    return printable("; ".join([use.reason, *(part for part in more if part)]))


def _advice(uses: tuple[AllowRule, ...]) -> Iterator[str]:
    expired = sum(use.expired for use in uses)
    idle = sum(not (use.covers or use.expired) for use in uses)
    if not uses:
        yield "Add one with `batchscan allow add example.com --reason 'our own site'`."
    if expired:
        yield f"Past their date: {expired:,}. Remove them from the file, or set another date."
    if idle:
        yield (
            f"Covering nothing: {idle:,}. The copies may be gone, or the rule may be misspelt: a "
            f"URL without * is one address only."
        )


def _object(path: Path, rules: AllowRules, usage: Usage) -> dict[str, object]:
    return {
        "file": replace_surrogates(str(path)),
        "matches": usage.matches,
        "allowed": usage.allowed,
        "rules": [_fields(rule, use) for rule, use in zip(rules.rules, usage.uses(), strict=True)],
    }


def _fields(rule: Rule, use: AllowRule) -> dict[str, object]:
    target = rule.target
    texts = {
        "domain": str(target) if target and target.is_domain else None,
        "url": str(target) if target and not target.is_domain else None,
        "images": str(rule.images) if rule.images else None,
        "sha256": rule.sha256,
        "reason": rule.reason,
        "by": rule.by,
        "until": str(rule.until) if rule.until else None,
    }
    safe = {key: None if text is None else replace_surrogates(text) for key, text in texts.items()}
    return {"line": rule.line, **safe, "expired": use.expired, "covers": use.covers}
