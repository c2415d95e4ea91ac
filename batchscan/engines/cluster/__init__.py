"""Inspecting and uploading on a Dask cluster.

    driver                                          worker process
    DaskEngine ── WorkerPool ── WorkerClient ══ submit_batch, poll_events ══►  WorkerActor (a Dask Actor)
    token, claims, pace    one a worker             bytes, judge, connections

Dask repeats a task when its worker dies, and its Actor proxy repeats a call when a connection
breaks. Paid requests must not be repeated that way: tasks are numbered, an actor runs each at most
once, and requests in flight on a lost worker come back as ambiguous, for the run to decide.
"""
