"""The options of a run as its tasks get them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.run.run_spec import run_spec, store_token
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.storage import StoreOptions, open_store


class RemoteExecutor(SynchronousExecutor):
    """An executor whose tasks run in other processes."""

    is_local = False


def _config(*, remote: bool = False, **options: Any) -> RunConfig:
    executor = RemoteExecutor() if remote else SynchronousExecutor()
    return RunConfig.from_options(fresh_store(), executor, options)  # type: ignore[arg-type]


def test_a_store_object_has_a_token_of_its_own_in_this_process() -> None:
    """Two objects of one URL may have different options and caches."""
    first, second = _config(), _config()
    assert store_token(first) != store_token(second)
    assert store_token(first) == store_token(first)


def test_equal_stores_are_one_store_in_a_worker() -> None:
    """A worker opens it once for all runs; another server with the same URL is another store."""

    def token(endpoint: str) -> str:
        store = open_store("s3://bucket/x", options=StoreOptions(endpoint=endpoint))
        return store_token(RunConfig.from_options(store, RemoteExecutor(), {}))

    assert token("http://one") == token("http://one")
    assert token("http://one") != token("http://two")


def test_the_store_travels_only_to_other_processes() -> None:
    """In this process the driver has registered it."""
    remote = _config(remote=True)
    assert run_spec("run", remote, 0.0).store is remote.store
    assert run_spec("run", _config(), 0.0).store is None


@pytest.mark.parametrize(
    ("cache", "reads", "writes", "replaces"),
    [
        (CacheMode.USE, True, True, False),
        (CacheMode.REFRESH, False, True, True),
        (CacheMode.BYPASS, False, False, False),
    ],
)
def test_the_cache_mode_says_what_tasks_do_with_the_store(
    cache: CacheMode, reads: bool, writes: bool, replaces: bool
) -> None:
    """Read known results, write new ones, replace those that differ."""
    spec = run_spec("run", _config(cache=cache), 0.0)
    assert (spec.reads, spec.writes, spec.replaces) == (reads, writes, replaces)


def test_leases_are_for_runs_that_use_the_store() -> None:
    """A run that computes everything itself neither waits nor makes others wait."""
    config = _config()
    assert run_spec("run", config, 0.0).lease_seconds == config.lease_seconds > 0
    assert run_spec("run", _config(cache="refresh"), 0.0).lease_seconds == 0


def test_a_folder_takes_files_that_are_not_stored() -> None:
    """It is used only when results are not stored; it is also the owner of leases."""
    used = run_spec("run", _config(run_folder="ns/name/uid"), 0.0)
    assert (used.run_folder, used.lease_owner) == (None, "ns/name/uid")
    bypassed = run_spec("run", _config(run_folder="ns/name/uid", cache="bypass"), 0.0)
    assert bypassed.run_folder == "ns/name/uid"


def test_a_run_without_a_folder_owns_its_leases() -> None:
    """Its own name tells it from other runs; label and time of the look-up are passed on."""
    spec = run_spec("run", _config(label="WorkPlan a/b"), 12.5)
    assert (spec.id, spec.lease_owner, spec.label) == ("run", "run", "WorkPlan a/b")
    assert spec.looked_up_at == 12.5
