"""`batchscan init`: a settings file and a key file to begin with."""

from __future__ import annotations

import os
import shlex

import click

from batchscan.cli.help import GroupedOption, HelpCommand
from batchscan.console.terminal import print_status
from batchscan.util.escaping import printable


@click.command(
    cls=HelpCommand,
    help="Write a settings file, with every setting explained and commented out, and beside it a "
    "file for the API key that only you can read (0600). What exists already is left as it is.\n\n"
    "E-mail address and key are taken from COPYLEAKS_EMAIL and COPYLEAKS_API_KEY. Where these are "
    "not set and this is a terminal, they are asked for; Enter leaves one out.",
)
@click.option(
    "-c",
    "--config",
    cls=GroupedOption,
    group="What is written",
    metavar="FILE",
    type=click.UNPROCESSED,
    help="the settings file; else BATCHSCAN_CONFIG, else batchscan/config.yaml in the user's "
    "config folder. The key file is `key` beside it, or what COPYLEAKS_API_KEY_FILE names",
)
def command(config: str | None) -> int:
    """Run the command; returns the exit code."""
    from batchscan.commands.init import write_files  # noqa: PLC0415 - --help does without

    written = write_files(config, os.environ)
    config_file, key_file = printable(written.config), printable(written.key)
    for path, is_new in ((config_file, written.config_is_new), (key_file, written.key_is_new)):
        print_status(f"Written: {path}" if is_new else f"Left as it is: {path}")
    print_status("Next:")
    if written.config_is_new and not written.has_email:
        print_status(f"  set account.email in {config_file}")
    if written.key_is_new and not written.has_key:
        print_status(f"  put your API key into {key_file}")
    with_config = f" -c {shlex.quote(config_file)}" if config else ""
    doctor, scan = f"batchscan doctor{with_config}", f"batchscan -n{with_config} ./images"
    width = len(scan)
    print_status(f"  {doctor:<{width}}  # check settings, login and balance")
    print_status(f"  {scan}  # what a scan would send, and what it would cost")
    return 0
