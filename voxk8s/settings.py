"""Settings of one process, and the reading of environment variables."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from voxk8s import constants
from voxk8s.errors import InvalidUsage

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f", ""})
T = TypeVar("T")

MOST_MEGABYTES = 100
"""Largest number of megabytes of voxels in a page: browsers open no larger ones."""

STORE_POLICIES = ("auto", "all", "goals")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that users make by environment variables; times in seconds.

    Without `store` the default store is a folder in the user's cache.
    """

    store: str | None = None
    store_policy: str = "auto"
    scheduling: str = "default"
    test_kernels: bool = False
    retry_limit: int = 3
    retry_backoff: float = 1.0
    retry_max_backoff: float = 60.0
    lease_seconds: float = 30.0
    store_bytes: float = 100e9
    dask_threads: int = 4
    dask_memory: str = "2GB"
    enable_dashboard: bool = False
    report_voxels: float = 0.0
    """Megabytes."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Return the settings of an environment; raises InvalidUsage with the variable's name."""
        default = cls()
        policy = env.get(constants.ENV_STORE_POLICY, default.store_policy)
        if policy not in STORE_POLICIES:
            known = ", ".join(STORE_POLICIES)
            raise InvalidUsage(
                f"{constants.ENV_STORE_POLICY}: expected one of {known}, got {policy!r}"
            )
        return cls(
            store=env.get(constants.ENV_STORE) or None,
            store_policy=policy,
            scheduling=env.get(constants.ENV_SCHEDULING) or default.scheduling,
            test_kernels=read_flag(env, constants.ENV_TEST_KERNELS, default.test_kernels),
            retry_limit=int(read_number(env, constants.ENV_RETRY_LIMIT, default.retry_limit)),
            retry_backoff=read_number(env, constants.ENV_RETRY_BACKOFF, default.retry_backoff),
            retry_max_backoff=read_number(
                env, constants.ENV_RETRY_MAX_BACKOFF, default.retry_max_backoff
            ),
            store_bytes=read_number(env, constants.ENV_STORE_BYTES, default.store_bytes),
            lease_seconds=read_number(env, constants.ENV_LEASE_SECONDS, default.lease_seconds),
            dask_threads=int(
                read_number(env, constants.ENV_DASK_THREADS, default.dask_threads, least=1)
            ),
            dask_memory=env.get(constants.ENV_DASK_MEMORY) or default.dask_memory,
            enable_dashboard=read_flag(
                env, constants.ENV_ENABLE_DASHBOARD, default.enable_dashboard
            ),
            report_voxels=read_number(
                env, constants.ENV_REPORT_VOXELS, default.report_voxels, most=MOST_MEGABYTES
            ),
        )


def read_flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a boolean in any usual spelling; raises InvalidUsage for other text."""
    text = env.get(name)
    if text is None:
        return default
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidUsage(f"{name}: expected true or false, got {text!r}")


def read_number(
    env: Mapping[str, str],
    name: str,
    default: float,
    *,
    least: float = 0,
    most: float = sys.float_info.max,
) -> float:
    """Return a number within bounds; raises InvalidUsage for other text."""
    text = env.get(name)
    if text is None or not text.strip():
        return float(default)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        bounds = f"of at least {least}" if most == sys.float_info.max else f"from {least} to {most}"
        raise InvalidUsage(f"{name}: expected a number {bounds}, got {text!r}")
    return number


def read_json(env: Mapping[str, str], name: str, kind: Any, default: T) -> T:
    """Return a JSON value of type `kind`; raises InvalidUsage for other text."""
    text = env.get(name)
    if text is None or not text.strip():
        return default
    try:
        value: T = msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidUsage(f"{name}: {error}, got {text!r}") from error
    return value
