"""Inspecting and uploading on a Dask cluster.

    driver                                          worker process
    DaskEngine ── WorkerPool ── WorkerClient ══ submit_batch, poll_events ══►  WorkerActor (a Dask Actor)
    token, claims, pace    one a station            bytes, judge, connections

Dask runs a task again when its worker dies, and its Actor proxy calls again when a connection
breaks. Nothing that is paid for may be done so: orders are numbered, a station does each at most
once, and what was under way on a lost one comes back as ambiguous, for the run to decide.
"""
