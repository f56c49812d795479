"""The configuration of runs, from the options of an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.errors import InvalidUsage
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.run_config import CacheMode, OnFailure, RunConfig, RunOptions
from voxk8s.settings import Settings


class Remote(SynchronousExecutor):
    """An executor whose tasks run elsewhere."""

    is_local = False


def config(options: RunOptions, *, remote: bool = False) -> RunConfig:
    """Return the configuration for options."""
    executor = Remote() if remote else SynchronousExecutor()
    return RunConfig.from_options(fresh_store(), executor, options)


def test_defaults_come_from_the_settings() -> None:
    """Options that are not given, or None, have the values of the settings."""
    settings = Settings(retry_limit=7, store_policy="all", lease_seconds=3.0)
    found = config({"settings": settings, "retry": None, "policy": None})
    assert found.retry == RetryPolicy.from_settings(settings)
    assert (found.policy, found.lease_seconds) == ("all", 3.0)
    assert (found.cache, found.on_failure) == (CacheMode.USE, OnFailure.CONTINUE)


def test_options_come_before_the_settings() -> None:
    """A given option overrides the setting."""
    assert config({"settings": Settings(store_policy="all"), "policy": "goals"}).policy == "goals"


@pytest.mark.parametrize(
    ("options", "remote", "output", "confine"),
    [
        ({}, False, Path(), False),
        ({}, True, None, False),
        ({"output": "out"}, True, Path("out"), True),
        ({"output": "out", "write_files": False}, False, None, True),
    ],
)
def test_where_files_are_written(
    options: RunOptions, remote: bool, output: Path | None, confine: bool
) -> None:
    """Below `output`, below the current folder for a local executor, or nowhere."""
    found = config(options, remote=remote)
    assert (found.output, found.confine) == (output, confine)


def test_invalid_values_are_refused() -> None:
    """The message lists the values to choose from."""
    with pytest.raises(InvalidUsage, match="cache 'x': must be one of use, refresh, bypass"):
        config({"cache": "x"})
