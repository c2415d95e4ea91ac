"""Asks the sites themselves whether copies are still there; costs no credit.

`run.py` is the file to read first: it asks about each chosen match through `checker.py`, and the
ledger turns what was answered into verdicts (`ledger.rechecks`).
"""

from __future__ import annotations

from batchscan.recheck.checker import Checker
from batchscan.recheck.run import RecheckProgress, RecheckRun

__all__ = ["Checker", "RecheckProgress", "RecheckRun"]
