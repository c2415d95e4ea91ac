"""`batchscan completion`: a script for completion of commands, options and paths in a shell."""

from __future__ import annotations

import click

from batchscan.cli.help import HelpCommand
from batchscan.console.terminal import print_data


@click.command(
    cls=HelpCommand,
    help="Print a script for your shell that completes commands, options, their values and paths.",
    sections=(
        (
            "How to use it",
            (
                ("bash", 'add to ~/.bashrc: eval "$(batchscan completion bash)"'),
                ("zsh", 'add to ~/.zshrc: eval "$(batchscan completion zsh)"'),
                ("fish", "batchscan completion fish > ~/.config/fish/completions/batchscan.fish"),
            ),
        ),
    ),
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Run the command; returns the exit code."""
    from batchscan.cli.shell_completion import script_for  # noqa: PLC0415 - --help does without

    print_data(script_for(shell))
    return 0
