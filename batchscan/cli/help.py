"""Help pages: options in groups, followed by other sections."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.core import augment_usage_errors

from batchscan.console.terminal import print_data, print_status, width_of
from batchscan.errors import UsageError
from batchscan.settings.catalog import entries

EXIT_CODES = (
    ("0", "every picture has an answer or was rejected; a dry run"),
    ("1", "a bug in batchscan"),
    ("2", "usage: wrong flags, settings or credentials, or a path that does not exist"),
    ("3", "finished, but some pictures failed or a folder could not be read"),
    ("4", "the login was refused"),
    ("5", "your own limit was reached, and work remains"),
    ("6", "the account is out of credits, and work remains"),
    ("7", "another run is using the state folder"),
    ("8", "the API was not available"),
    ("9", "state or output cannot be read or written"),
    ("10", "complete, and pictures are as --fail-on says"),
    ("129, 130, 143", "stopped by SIGHUP, SIGINT, SIGTERM"),
)


class GroupedOption(click.Option):
    """An option in a group of the help page."""

    def __init__(self, *args: Any, group: str = "Other", **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.group = group


_WIDEST = 80  # columns
_CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": _WIDEST,
    "terminal_width": min(_WIDEST, max(40, width_of(sys.stdout, _WIDEST))),
}


def _show_help(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Print the help; click's own printing would report a full disk as a bug."""
    if wanted and not context.resilient_parsing:
        print_data(context.get_help())
        context.exit()


class HelpCommand(click.Command):
    """A command whose help shows options in groups, followed by its own sections.

    Args:
        sections: title and rows (word, meaning) of what follows the options; a row of one word
            and no meaning is a line of its own.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own
        sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (),
        **kwargs: Any,  # noqa: ANN401 - click's own
    ) -> None:
        kwargs["context_settings"] = {**_CONTEXT, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.sections = sections

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words; an error names this command, and only the option that is nearest."""
        with augment_usage_errors(ctx):
            try:
                return super().parse_args(ctx, args)
            except click.NoSuchOption as error:
                near = _nearest(error.option_name, error.possibilities or ())
                raise click.NoSuchOption(error.option_name, possibilities=near, ctx=ctx) from None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The `--help` of every command."""
        return _with_our_printing(super().get_help_option(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups in the order in which their first options were declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                group = parameter.group if isinstance(parameter, GroupedOption) else "Help"
                groups.setdefault(group, []).append(record)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the sections."""
        for title, rows in self.sections:
            with formatter.section(title):
                if all(meaning for _, meaning in rows):
                    formatter.write_dl(list(rows))
                else:
                    formatter.write("".join(f"  {word}\n" for word, _ in rows))


class HelpGroup(click.Group):
    """A command of commands, `batchscan allow add|list`; alone it prints its help and exits 2.

    Args:
        name: its name.
        pages: the commands in it, each with a `short_help`, in the order of the help.
        text: what they are for.
    """

    def __init__(self, name: str, *pages: HelpCommand, text: str) -> None:
        super().__init__(
            name,
            commands={page.name or "": page for page in pages},
            callback=self._nothing,
            context_settings=_CONTEXT,
            help=text,
            invoke_without_command=True,
            options_metavar="",
            subcommand_metavar="COMMAND [OPTIONS]",
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The `--help` of every command."""
        return _with_our_printing(super().get_help_option(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the pages, each with its short help, in their order."""
        rows = [(name, page.short_help or "") for name, page in self.commands.items()]
        with formatter.section("Commands (each has its own --help)"):
            formatter.write_dl(rows)
        with formatter.section("Help"):
            formatter.write_dl([("-h, --help", "Show this message and exit.")])

    @staticmethod
    def _nothing() -> int:
        context = click.get_current_context()
        if context.invoked_subcommand is not None:
            return 0
        print_status(context.get_help())
        return UsageError.exit_code


def _with_our_printing(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.callback = _show_help
    return option


def _nearest(flag: str, flags: Sequence[str]) -> list[str]:
    """The most similar flag, compared without leading dashes."""
    names = {name.lstrip("-"): name for name in flags}
    close = difflib.get_close_matches(flag.lstrip("-"), names, 1)
    return [names[name] for name in close]


def default_of(key: str) -> object:
    """The default of a setting; None without one, as for the fields of one run."""
    return next((entry.default for entry in entries() if entry.key == key), None)


def with_default(key: str, text: str) -> str:
    """A help text with the setting's default, taken from where it is declared."""
    for entry in entries():
        if entry.key == key and entry.default not in (None, False, ()):
            return f"{text}  [default: {entry.show(entry.default).strip('[]')}]"
    return text
