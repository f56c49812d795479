"""The options of a run as its tasks get them."""

from __future__ import annotations

from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.worker.task_context import RunSpec


def store_token(config: RunConfig) -> str:
    """Return the name of a run's store in a process.

    In this process it is the very store object, elsewhere any store with the same URL, server and
    credentials.
    """
    token = config.store.token
    return f"{token}#{id(config.store)}" if config.executor.is_local else token


def run_spec(run: str, config: RunConfig, looked_up_at: float, kept_bytes: int = 0) -> RunSpec:
    """Return the options that tasks of a run need; `looked_up_at` is that of `RunSpec`.

    `kept_bytes` is what the run has stored beside goals so far.
    """
    return RunSpec(
        id=run,
        store_token=store_token(config),
        store=None if config.executor.is_local else config.store,
        reads=config.cache is CacheMode.USE,
        writes=config.cache is not CacheMode.BYPASS,
        replaces=config.cache is CacheMode.REFRESH,
        store_policy=config.policy,
        retry=config.retry,
        looked_up_at=looked_up_at,
        run_folder=config.run_folder if config.cache is CacheMode.BYPASS else None,
        lease_seconds=config.lease_seconds if config.cache is CacheMode.USE else 0.0,
        lease_owner=config.run_folder or run,
        label=config.label,
        store_bytes=config.store_bytes,
        kept_bytes=kept_bytes,
    )
