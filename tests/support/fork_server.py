"""Runs `batchscan` in forks of itself: its modules are loaded once, and not for each run.

    python -P fork_server.py SOCKET

SOCKET is the number of one that the tests' process has the other end of; the server ends when that
is closed. A request is one message: words, environment, folder and the file of a program instead of
`batchscan` itself as JSON, and three descriptors, the run's stdout and stderr, and where its process
id is reported, later its exit code, one a line.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import socket
import sys
from contextlib import suppress
from typing import Any

LONGEST = 100_000  # bytes of a request
# What scans load. Whatever else a run needs, it loads for itself.
MODULES = (
    "batchscan.alerts.notifier",
    "batchscan.cli.scan",
    "batchscan.commands.monitor",
    "batchscan.commands.scan",
    "batchscan.console.log_config",
    "batchscan.engines.vendor_client",
    "batchscan.images.fingerprints",
    "batchscan.report.csv_table",
    "batchscan.report.decisions",
    "batchscan.report.html_page",
    "batchscan.run",
    "tqdm",
    "uvloop",
)


def main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    for name in MODULES:
        importlib.import_module(name)
    prepare()
    if len(os.listdir("/proc/self/task")) > 1:  # forks would lack them, and wait for their locks
        sys.exit("fork_server: what was loaded started threads")
    gc.freeze()
    request = serve(requests)
    if request is None:
        return
    if request["program"]:
        sys.argv[0] = request["program"]
        runpy.run_path(request["program"], run_name="__main__")
    else:
        runpy.run_module("batchscan", run_name="__main__", alter_sys=True)


def prepare() -> None:
    """Make once what each run would make anew, in half of its CPU: templates, rules about names."""
    from batchscan.report.html_assets import environment  # noqa: PLC0415 - loaded with the others
    from batchscan.util.public_suffixes import domain_by_rules, registrable  # noqa: PLC0415
    from batchscan.version import version  # noqa: PLC0415

    for template in ("macros.html", "picture.html", "report.html"):
        environment().get_template(template)
    domain_by_rules("www.example.com", "example.com", "com")
    registrable("www.example.com")
    version()


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request; the request in its fork, None when there are no more."""
    running: dict[int, tuple[int, int]] = {}  # by pidfd: the process, and where to report
    waiting = selectors.DefaultSelector()
    waiting.register(requests, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is not requests:
                waiting.unregister(key.fd)
                os.close(key.fd)
                ended(*running.pop(key.fd))
                continue
            message, descriptors, *_ = socket.recv_fds(requests, LONGEST, 3)
            if not message:
                return None
            process = os.fork()
            if not process:
                requests.close()
                waiting.close()
                request: dict[str, Any] = json.loads(message)
                become(request, *descriptors[:2])
                return request
            *streams, report = descriptors
            for descriptor in streams:
                os.close(descriptor)
            tell(report, process)
            pidfd = os.pidfd_open(process)
            running[pidfd] = (process, report)
            waiting.register(pidfd, selectors.EVENT_READ)


def become(request: dict[str, Any], out: int, err: int) -> None:
    """Be in this fork what a new process would be."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    coerced = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
    os.environ.clear()  # of what the server was started with
    os.environ.update(coerced | request["environment"])
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    os.chdir(request["folder"])
    sys.argv[1:] = request["words"]


def ended(process: int, report: int) -> None:
    _, status = os.waitpid(process, 0)
    tell(report, os.waitstatus_to_exitcode(status))
    os.close(report)


def tell(report: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the test did not wait
        os.write(report, b"%d\n" % number)


if __name__ == "__main__":
    main()
