"""The one Dask client that all executions of a process share."""

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
class _Shared:
    client: Client | None = None
    dashboard: bool = False
    registered: bool = False


_shared = _Shared()
_lock = threading.RLock()
_threads = ForkGuard("Dask")
_LIVE: Final = ("running", "connecting")
_UNSEEN: Final = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Dask opens its HTTP ports in any case: on this host only, and nothing is served there."""


class _UnseenWorker(Worker):
    """A worker without a dashboard, which the cluster has no other way to ask for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, **_UNSEEN})


def get_shared_dask_client(enable_dashboard: bool = False) -> Client:
    """Return the shared client, made on first use and made again when it was closed.

    It has one worker of threads in this process; `VOXLOGICA_DASK_THREADS` (4),
    `VOXLOGICA_DASK_MEMORY` (2GB) and `VOXLOGICA_ENABLE_DASHBOARD` (false) are read when it is made.
    A live client without a dashboard is replaced when one is asked for and nothing runs on it.
    Raises InvalidUsage in a process that was forked when there had been one.
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
                logger.warning(
                    "the shared Dask client is at work without a dashboard; it stays as it is"
                )
                return client
            _close(client)
        elif client is not None:
            _close(client)
        _shared.client = _make(settings, dashboard)
        _shared.dashboard = dashboard
        if not _shared.registered:
            atexit.register(close_shared_dask_client)
            _shared.registered = True
        return _shared.client


def close_shared_dask_client() -> None:
    """Close the shared client if there is one; the next use makes another."""
    with _lock:
        client, _shared.client = _shared.client, None
        if client is not None:
            _close(client)


def _let_go() -> None:
    """Forget the client in a forked process, which could only wait for its threads at the end."""
    global _lock
    _lock = threading.RLock()
    client, _shared.client = _shared.client, None
    if client is not None and client.cluster is not None:
        client.cluster.shutdown_on_close = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def has_shared_dask_client() -> bool:
    """Say whether a shared client is there, without making one."""
    return _shared.client is not None


def _is_live(client: Client) -> bool:
    """Whether a client can be used: a loop that has ended leaves its status as it was."""
    loop = getattr(client.loop, "asyncio_loop", None)
    return client.status in _LIVE and not (loop is not None and loop.is_closed())


def _make(settings: Settings, dashboard: bool) -> Client:
    try:
        parse_bytes(settings.dask_memory)
    except ValueError as error:
        if settings.dask_memory.lower() not in ("auto", "none"):
            text = f"{constants.ENV_DASK_MEMORY}={settings.dask_memory!r}: must be a size like 2GB"
            raise InvalidUsage(text) from error
    noise = logging.getLogger("distributed")
    if noise.level == logging.INFO:
        # What Dask sets when it is imported; records of its start and end would reach any handler.
        noise.setLevel(logging.CRITICAL)
    # The worker's memory is this process's, the caller's own data included: only what Dask itself
    # holds may count against the limit, else work would stop for what it cannot help.
    options: dict[str, object] = {
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.spill": False,
    }
    if not dashboard:
        options |= {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    with dask.config.set(options):
        client = Client(
            processes=False,
            threads_per_worker=settings.dask_threads,
            n_workers=1,
            memory_limit=settings.dask_memory,
            silence_logs=logging.CRITICAL,
            dashboard_address=":0" if dashboard else None,
            scheduler_kwargs=None if dashboard else dict(_UNSEEN),
            **({} if dashboard else {"worker_class": _UnseenWorker}),
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
    except Exception as error:  # noqa: BLE001  # a client that is dead already cannot be closed
        logger.debug("closing a Dask client: %s", error)
