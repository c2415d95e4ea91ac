"""The reply for a picture whose worker was lost."""

from __future__ import annotations

from batchscan.engines.cluster.worker_client import WorkerLost
from batchscan.engines.interface import TransientError
from batchscan.enums import FailReason
from batchscan.model import ServiceError


def ambiguous(lost: WorkerLost) -> TransientError:
    """The reply for a request on a lost worker, which may have been sent and charged."""
    return TransientError(
        FailReason.NETWORK,
        f"{lost} while it sent this picture",
        ServiceError(),
        ambiguous=True,
        reached=True,
        worker_lost=True,
    )
