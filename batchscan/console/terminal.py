"""Printing: data on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from typing import TextIO

from batchscan.console.journald import is_journal, with_priority
from batchscan.errors import StorageError
from batchscan.util.escaping import printable

_NARROWEST = 40  # columns; below, a terminal does as well
_COLOURS = {"red": "31", "yellow": "33", "green": "32", "bold": "1"}


def on_one_terminal() -> bool:
    """Whether both stdout and stderr are terminals, read by the same person."""
    streams = (sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def print_data(data: str | bytes) -> None:
    """Write data to stdout; a closed pipe (`| head`) is not an error.

    Args:
        data: text that has no untrusted control characters left, or bytes as they are.

    Raises:
        StorageError: stdout cannot be written for another reason.
    """
    if sys.stdout is None:  # started with stdout closed
        return
    if isinstance(data, str):
        # A name that the terminal's encoding lacks must not end the program
        data = (data.rstrip("\n") + "\n").encode(sys.stdout.encoding, "backslashreplace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise StorageError(f"stdout cannot be written: {error.strerror}") from error


def abandon_stdout() -> None:
    """Redirect stdout to /dev/null, so that Python's flush at exit cannot fail."""
    _point_at_nothing(sys.stdout)


def finish_stderr() -> None:
    """Flush stderr, so that Python's flush at exit cannot fail and exit with 120."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        _point_at_nothing(sys.stderr)
    except ValueError:  # it is closed
        return


def _point_at_nothing(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def print_status(text: str) -> None:
    """Print lines on stderr, ignoring errors."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the pipe is gone, or stderr is closed
        return


def on_new_line() -> None:
    """End the line of a progress bar or `^C`."""
    if sys.stderr is not None and sys.stderr.isatty():
        print_status("")


def print_error(message: str, advice: str | None = None) -> None:
    """Print an error and its advice on stderr."""
    text = _wrapped(f"batchscan: {printable(message)}", sys.stderr)
    text = colored("batchscan:", "red", sys.stderr) + text.removeprefix("batchscan:")
    if advice:
        text += "\n" + _wrapped(f"  {printable(advice)}", sys.stderr)
    print_status(with_priority(text, logging.ERROR) if is_journal(sys.stderr) else text)


def width_of(stream: TextIO | None, otherwise: int) -> int:
    """The width of a stream's terminal in columns; `otherwise` if it is not a terminal."""
    try:
        if stream is not None and stream.isatty():
            return os.get_terminal_size(stream.fileno()).columns or otherwise
    except (OSError, ValueError):
        pass
    return otherwise


def fitted(line: str, stream: TextIO | None) -> str:
    """Wrap prose for a terminal; further lines are indented by two more columns.

    Nothing is broken where the stream is not a terminal, nor at a no-break space, which is printed
    as a space. Lines to be pasted, such as commands and paths, are not for this.
    """
    return _wrapped(line, stream, len(line) - len(line.lstrip()) + 2).replace("\u00a0", " ")


def _wrapped(line: str, stream: TextIO | None, indent: int = 2) -> str:
    """A line broken between words where a terminal would break it within one."""
    width = width_of(stream, 0)
    if width < _NARROWEST or len(line) <= width:
        return line
    return "\n".join(
        textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def colored(text: str, colour: str, stream: TextIO | None) -> str:
    """Colour a text if the stream is a terminal and NO_COLOR is not set."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if stream.isatty() else text
