"""What the workers of a cluster use."""

from __future__ import annotations

import time

from distributed import Client

from voxk8s.runner.worker_usage import worker_usage


def test_all_workers_are_added_up() -> None:
    """Their number, their cores and their memory, as the scheduler knows them."""
    with Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        usage = worker_usage(client)()
    assert usage is not None
    assert usage.workers == 2
    assert usage.memory > 2**20
    assert usage.cores >= 0
    assert abs(usage.time - time.time()) < 60


def test_a_lost_scheduler_uses_nothing() -> None:
    """The run goes on without this measure."""
    client = Client(processes=False, n_workers=0, dashboard_address=":0")
    client.close()
    assert worker_usage(client)() is None
