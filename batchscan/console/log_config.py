"""Logging to stderr and `--log-file`: escaped, with timestamps, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from batchscan.console.journald import is_journal, with_priority
from batchscan.console.log_file import LogFile
from batchscan.console.terminal import on_one_terminal
from batchscan.errors import UsageError
from batchscan.settings.model import LogFormat, Output, Secret
from batchscan.util.escaping import printable
from batchscan.util.timestamps import rfc3339

_PACKAGE = "batchscan"
_HIDDEN = "***"
MAX_REMEMBERED = 10_000  # warnings that are not said again
# Belt and braces: nothing of ours logs these, but a library's traceback or debug line might.
_TOKENS = re.compile(r"(?i)(bearer\s+|[\"']access_token[\"']\s*:\s*[\"'])[^\s\"']+")


class Redaction:
    """Hides secrets in a finished log line."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._secrets = [secret.reveal() for secret in secrets]

    def __call__(self, line: str) -> str:
        """The line without keys and tokens."""
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN)
        return _TOKENS.sub(rf"\1{_HIDDEN}", line)


class TextFormatter(logging.Formatter):
    """`HH:MM:SS level message` on terminals, RFC 3339 times in files and pipes.

    Args:
        redact: hides secrets.
        stamp: writes the time, with a space after it.
    """

    def __init__(self, redact: Redaction, stamp: Callable[[float], str]) -> None:
        super().__init__()
        self._redact = redact
        self._stamp = stamp

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line, with traceback lines after it."""
        stamp, level = self._stamp(record.created), record.levelname.lower()
        lines = [f"{stamp}{level} {printable(record.getMessage())}"]
        if record.exc_info:
            lines += map(printable, self.formatException(record.exc_info).splitlines())
        return self._redact("\n".join(lines))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for log collectors."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as an object; `exception` has the traceback, if there is one."""
        fields = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if record.exc_info:
            fields["exception"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(fields)  # ASCII: nothing in it can steer a terminal


class JournalFormatter(logging.Formatter):
    """Adds priorities for systemd's journal to another formatter's lines."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; the journal removes the prefixes."""
        return with_priority(self._inner.format(record), record.levelno)


class TqdmHandler(logging.StreamHandler[TextIO]):
    """Writes lines above a progress bar, if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._write(self.format(record))
            self.flush()
        except (OSError, ValueError):  # the pipe is broken, or the stream is closed
            return

    def _write(self, line: str) -> None:
        if "tqdm" not in sys.modules:  # there is no bar: whoever draws one imports it
            self.stream.write(line + self.terminator)
            return
        from tqdm import tqdm  # noqa: PLC0415 - see above

        tqdm.write(line, file=self.stream)


class WarnOnce(logging.Filter):
    """Drops repeated warnings, and warnings that a summary on the same terminal repeats.

    A record that a summary repeats has the attribute `in_summary`.
    """

    def __init__(self, *, before_summary: bool = False) -> None:
        """Prepare; `before_summary` where the summary comes on this handler's terminal."""
        super().__init__()
        self._before_summary = before_summary
        self._shown: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write a record."""
        if record.levelno < logging.WARNING:
            return True
        message = record.getMessage()
        if message in self._shown or (
            self._before_summary and getattr(record, "in_summary", False)
        ):
            return False
        if len(self._shown) < MAX_REMEMBERED:
            self._shown.add(message)
        return True


def configure(output: Output, secrets: Iterable[Secret | None] = ()) -> None:
    """Configure logging from the settings.

    stderr gets warnings, everything with `-v` and nothing with `-q`: a quiet run prints its warnings
    at its end. The log file always gets everything.

    Raises:
        UsageError: the log file cannot be opened.
    """
    redact = Redaction(secret for secret in secrets if secret)
    detail = logging.DEBUG if output.verbose else logging.WARNING
    loud = logging.CRITICAL if output.quiet and not output.verbose else detail
    handlers: list[logging.Handler] = []
    if sys.stderr is not None:
        handlers.append(TqdmHandler(sys.stderr))
        handlers[-1].setLevel(loud)
        summed_up = on_one_terminal() and not (output.json or output.quiet)
        handlers[-1].addFilter(WarnOnce(before_summary=summed_up))
    if output.log_file is not None:
        handlers.append(_file(output.log_file))
        handlers[-1].setLevel(logging.DEBUG if output.verbose else logging.INFO)
        handlers[-1].addFilter(WarnOnce())
    for handler in handlers:
        stream = handler.stream if isinstance(handler, TqdmHandler) else None
        handler.setFormatter(_formatter(output.log_format, redact, stream))
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    level = min((handler.level for handler in handlers), default=logging.CRITICAL)
    logging.getLogger(_PACKAGE).setLevel(level)


def _formatter(form: LogFormat, redact: Redaction, stream: TextIO | None) -> logging.Formatter:
    """The formatter for a stream, or for a file."""
    journal = is_journal(stream)
    stamp = _nothing if journal else _clock if stream and stream.isatty() else _moment
    inner = JsonFormatter(redact) if form == "json" else TextFormatter(redact, stamp)
    return JournalFormatter(inner) if journal else inner


def _moment(seconds: float) -> str:
    return f"{rfc3339(seconds)} "


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S ", time.localtime(seconds))


def _nothing(seconds: float) -> str:  # noqa: ARG001 - the journal stamps each line itself
    return ""


def _file(path: str) -> logging.Handler:
    try:
        return LogFile(path)
    except OSError as error:
        raise UsageError(
            f"log file {path}: cannot be opened: {error.strerror}", advice="see --log-file"
        ) from error
