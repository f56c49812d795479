"""Dask clusters whose workers are processes of this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import LocalCluster, Nanny, Scheduler, SpecCluster


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


@contextmanager
def unequal_workers(**workers: dict[str, Any]) -> Iterator[SpecCluster]:
    """Start a worker in a process of its own for each name, with options such as `resources`."""
    spec = {
        name: {"cls": Nanny, "options": {"name": name, "dashboard_address": None, **options}}
        for name, options in workers.items()
    }
    scheduler = {"cls": Scheduler, "options": {"dashboard_address": None, "host": "127.0.0.1"}}
    with SpecCluster(spec, scheduler, silence_logs=logging.CRITICAL) as cluster:
        yield cluster
