"""Asking the sites themselves whether copies are still there; costs no credits.

Read `run.py` first: it checks each chosen match with `checker.py`, and the ledger turns the
answers into verdicts (`ledger.rechecks`).
"""

from __future__ import annotations

from batchscan.recheck.checker import Checker
from batchscan.recheck.run import RecheckProgress, RecheckRun

__all__ = ["Checker", "RecheckProgress", "RecheckRun"]
