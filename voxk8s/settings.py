"""Settings of one process, read from an environment that is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voxk8s import constants
from voxk8s.errors import InvalidUsage

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f", ""})
STORE_POLICIES = ("auto", "all", "goals")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may set by the environment; times in seconds.

    `store` is None when no default store is named: the folder in the user's cache then.
    """

    store: str | None = None
    store_policy: str = "auto"
    scheduling: str = "default"
    test_kernels: bool = False
    retry_limit: int = 3
    retry_backoff: float = 1.0
    retry_max_backoff: float = 60.0
    lease_seconds: float = 30.0
    dask_threads: int = 4
    dask_memory: str = "2GB"
    enable_dashboard: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings of an environment; raises InvalidUsage naming the variable."""
        default = cls()
        policy = env.get(constants.ENV_STORE_POLICY, default.store_policy)
        if policy not in STORE_POLICIES:
            known = ", ".join(STORE_POLICIES)
            raise InvalidUsage(f"{constants.ENV_STORE_POLICY}={policy!r}: must be one of {known}")
        return cls(
            store=env.get(constants.ENV_STORE) or None,
            store_policy=policy,
            scheduling=env.get(constants.ENV_SCHEDULING) or default.scheduling,
            test_kernels=read_flag(env, constants.ENV_TEST_KERNELS, default.test_kernels),
            retry_limit=int(_number(env, constants.ENV_RETRY_LIMIT, default.retry_limit)),
            retry_backoff=_number(env, constants.ENV_RETRY_BACKOFF, default.retry_backoff),
            retry_max_backoff=_number(
                env, constants.ENV_RETRY_MAX_BACKOFF, default.retry_max_backoff
            ),
            lease_seconds=_number(env, constants.ENV_LEASE_SECONDS, default.lease_seconds),
            dask_threads=int(_number(env, constants.ENV_DASK_THREADS, default.dask_threads, 1)),
            dask_memory=env.get(constants.ENV_DASK_MEMORY) or default.dask_memory,
            enable_dashboard=read_flag(
                env, constants.ENV_ENABLE_DASHBOARD, default.enable_dashboard
            ),
        )


def read_flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    """Read a boolean in any usual spelling; raises InvalidUsage for anything else."""
    text = env.get(name)
    if text is None:
        return default
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidUsage(f"{name}={text!r}: must be true or false")


def _number(env: Mapping[str, str], name: str, default: float, least: float = 0) -> float:
    text = env.get(name)
    if text is None or not text.strip():
        return default
    try:
        number = float(text)
    except ValueError as error:
        raise InvalidUsage(f"{name}={text!r}: must be a number") from error
    if not least <= number < float("inf"):
        raise InvalidUsage(f"{name}={text!r}: must be at least {least}")
    return number
