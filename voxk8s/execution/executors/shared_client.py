"""The Dask client that all runs of a process share."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from dataclasses import dataclass
from typing import Any, Final

import dask
from dask.utils import parse_bytes
from distributed import Client, Worker

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.settings import Settings
from voxk8s.storage.fork_guard import ForkGuard

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _SharedClient:
    client: Client | None = None
    dashboard: bool = False
    registered: bool = False


_shared = _SharedClient()
_lock = threading.RLock()
_threads = ForkGuard("Dask")
_LIVE: Final = ("running", "connecting")
_NO_DASHBOARD: Final = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Dask always opens its HTTP ports: bind them to this host, and serve nothing."""


class _WorkerWithoutDashboard(Worker):
    """A worker without a dashboard; LocalCluster has no option for that."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, **_NO_DASHBOARD})


def get_shared_dask_client(enable_dashboard: bool = False) -> Client:
    """Return the shared client; create it at first use, and again after it was closed.

    It has one worker, whose threads are in this process. `VOXLOGICA_DASK_THREADS` (4),
    `VOXLOGICA_DASK_MEMORY` (2GB) and `VOXLOGICA_ENABLE_DASHBOARD` (false) are read when it is
    created. An idle client without a dashboard is replaced when a dashboard is asked for. Raises
    InvalidUsage in a process forked from one that had a client.
    """
    settings = Settings.from_env(os.environ)
    dashboard = enable_dashboard or settings.enable_dashboard
    _threads.enter()
    with _lock:
        client = _shared.client
        if client is not None and _is_live(client):
            if not dashboard or _shared.dashboard:
                return client
            if client.futures:
                logger.warning("the shared Dask client is busy and stays without a dashboard")
                return client
            _close(client)
        elif client is not None:
            _close(client)
        _shared.client = _create(settings, dashboard)
        _shared.dashboard = dashboard
        if not _shared.registered:
            atexit.register(close_shared_dask_client)
            _shared.registered = True
        return _shared.client


def close_shared_dask_client() -> None:
    """Close the shared client if there is one; the next use creates another."""
    with _lock:
        client, _shared.client = _shared.client, None
        if client is not None:
            _close(client)


def _forget_after_fork() -> None:
    """Forget the client in a forked process, where it has no threads and cannot be closed."""
    global _lock
    _lock = threading.RLock()
    client, _shared.client = _shared.client, None
    if client is not None and client.cluster is not None:
        client.cluster.shutdown_on_close = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def has_shared_dask_client() -> bool:
    """Whether there is a shared client; does not create one."""
    return _shared.client is not None


def _is_live(client: Client) -> bool:
    """Whether a client is usable: when its loop has ended, its status does not change."""
    loop = getattr(client.loop, "asyncio_loop", None)
    return client.status in _LIVE and not (loop is not None and loop.is_closed())


def _create(settings: Settings, dashboard: bool) -> Client:
    try:
        parse_bytes(settings.dask_memory)
    except ValueError as error:
        if settings.dask_memory.lower() not in ("auto", "none"):
            text = (
                f"expected a size such as 2GB in {constants.ENV_DASK_MEMORY},"
                f" got {settings.dask_memory!r}"
            )
            raise InvalidUsage(text) from error
    dask_logger = logging.getLogger("distributed")
    if dask_logger.level == logging.INFO:
        # Dask sets this level on import; its messages at start and end would reach all handlers.
        dask_logger.setLevel(logging.CRITICAL)
    # The memory of the worker is that of this process, with the caller's data. Only the values that
    # Dask holds may count against the limit, else the worker would pause for memory it cannot free.
    options: dict[str, object] = {
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.spill": False,
        "distributed.admin.low-level-log-length": constants.DASK_LOG_LENGTH,
    }
    if not dashboard:
        options |= {
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            # Nobody sees them: a profile of each thread every 10 ms, and the delays of the loop.
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "500ms",
        }
    with dask.config.set(options):
        client = Client(
            processes=False,
            threads_per_worker=settings.dask_threads,
            n_workers=1,
            memory_limit=settings.dask_memory,
            silence_logs=logging.CRITICAL,
            dashboard_address=":0" if dashboard else None,
            scheduler_kwargs=None if dashboard else dict(_NO_DASHBOARD),
            **({} if dashboard else {"worker_class": _WorkerWithoutDashboard}),
        )
    if dashboard:
        logger.info("Dask dashboard: %s", client.dashboard_link)
    return client


def _close(client: Client) -> None:
    try:
        client.close()
        cluster = getattr(client, "cluster", None)
        if cluster is not None:
            cluster.close()
    except Exception as error:  # noqa: BLE001  # closing a broken client may fail
        logger.debug("cannot close a Dask client: %s", error)
