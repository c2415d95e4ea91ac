"""The decoders' process under coverage: its parent ends it by SIGKILL, so it saves before it answers.

python measured_decoder.py COVERAGE-CONFIG
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import coverage


def serve(config: str) -> None:
    """Do what the process does, and be measured."""
    os.environ["COVERAGE_PROCESS_CONFIG"] = config  # its environment is a bare one
    measured = coverage.process_startup()
    assert measured is not None
    child: Any = importlib.import_module("batchscan.images.decoding.child")
    send = child.send_json

    def save_and_send(*reply: Any) -> None:
        measured.stop()
        measured.save()
        measured.start()
        send(*reply)

    child.send_json = save_and_send
    child.main()


def measure() -> None:
    """From now on, have decoders' processes of this process measured as it is."""
    process: Any = importlib.import_module("batchscan.images.decoding.process")
    start, config = process._start, os.environ["COVERAGE_PROCESS_CONFIG"]
    measured = (sys.executable, "-P", __file__, config)

    def start_measured(command: Any) -> Any:
        return start(measured if command == process.COMMAND else command)

    process._start = start_measured


if __name__ == "__main__":
    serve(sys.argv[1])
