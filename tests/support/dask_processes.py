"""Dask clusters whose workers are processes of this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import LocalCluster


@contextmanager
def worker_processes(
    *, workers: int = 2, threads: int = 2, allowed_failures: int = 3
) -> Iterator[LocalCluster]:
    """Start workers in processes of their own, watched by nannies.

    Dask gives up a task after its workers died more often than `allowed_failures`; 3 is its own.
    """
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": allowed_failures}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster
