"""The pool of processes that resolve plans."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from tests.support.waiting import until
from tests.unit.controller.resolve.scripted_resolution import Script, request, thread_pool
from voxk8s.controller.resolve import process_pool, resolve_plan
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.store_cache import StoreCache
from voxk8s.errors import InputUnavailable, StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, TrustDomains, open_store

WARM_UP = process_pool.warm_up_request(
    "s3://results", StoreOptions(endpoint="http://s3:8333"), TrustDomains()
)


async def test_process_that_dies_is_replaced(script: Script) -> None:
    """A large plan whose process died gets a second attempt, and no third one; others get none."""
    pool = thread_pool()
    script.results["once"] = [BrokenProcessPool(), Resolved(threads=3)]
    script.results["always"] = [BrokenProcessPool()]
    assert await pool.resolve(request("once"), large=True) == Resolved(threads=3)
    assert await pool.resolve(request("always"), large=True) is None
    assert await pool.resolve(request("always")) is None
    assert script.seen == ["once", "once", "always", "always", "always"]
    assert await pool.resolve(request("fine")) == Resolved()
    pool.close()


async def test_plan_that_takes_too_long_is_left_to_the_runner(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that exceeds the timeout gets no second attempt; the process is replaced."""
    monkeypatch.setattr(process_pool, "RESOLVE_TIMEOUT", 0.01)
    pool = thread_pool()
    script.gate.clear()
    assert await pool.resolve(request("slow"), large=True) == Resolved(store_checked=False)
    monkeypatch.setattr(process_pool, "RESOLVE_TIMEOUT", 5.0)
    following = asyncio.create_task(pool.resolve(request("fine")))
    await until(lambda: script.seen == ["slow", "fine"], seconds=2)
    script.gate.set()
    assert await following == Resolved()
    pool.close()


async def test_all_processes_together_have_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large plan has two shares in the place of a process, which comes back afterwards."""
    pool = ProcessPool(2, 300)
    alive: dict[Executor, int] = {}
    most = [0]

    def start(shares: int = 1) -> Executor:
        process = ThreadPoolExecutor(1)
        alive[process] = shares * pool.share
        most.append(sum(alive.values()))
        return process

    def kill(process: Executor) -> None:
        del alive[process]
        process.shutdown(wait=False)

    monkeypatch.setattr(process_pool, "_kill", kill)
    monkeypatch.setattr(process_pool, "resolve_plan", lambda _: Resolved())
    monkeypatch.setattr(ProcessPool, "_start_process", lambda _, shares=1: start(shares))
    await pool.warm_up()
    for large in (True, False, True):
        assert await pool.resolve(request("a"), large) == Resolved()
    assert max(most) == 300
    assert sorted(alive.values()) == [100, 100]
    pool.close()


async def test_plan_waits_for_the_warm_up(script: Script) -> None:
    """Each process warms up before its first plan; `warm_up` returns when all have."""
    pool = thread_pool(2, request("warm-up"))
    script.gate.clear()
    warming = asyncio.create_task(pool.warm_up())
    await until(lambda: script.seen == ["warm-up"] * 2)
    first = asyncio.create_task(pool.resolve(request("a")))
    await asyncio.sleep(0)
    assert not warming.done()
    script.gate.set()
    await asyncio.wait_for(warming, 5)
    assert await first == Resolved()
    assert script.seen == ["warm-up", "warm-up", "a"]
    pool.close()


async def test_warm_up_is_bounded(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer does not keep the operator from being ready."""
    monkeypatch.setattr(process_pool, "WARM_UP_TIMEOUT", 0.01)
    pool = thread_pool(1, request("warm-up"))
    script.gate.clear()
    await asyncio.wait_for(pool.warm_up(), 5)
    script.gate.set()
    pool.close()


def test_warm_up_uses_all_that_plans_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warm-up asks the store and for an input; that the input is missing is no error."""
    asked: list[str] = []

    def open_memory(url: str, **_: object) -> ResultStore:
        asked.append(url)
        return open_store("memory://warm-up")

    def stat(url: str, _: object) -> None:
        asked.append(url)
        raise InputUnavailable(f"no {url}")

    monkeypatch.setattr(resolve_plan, "store_cache", StoreCache())
    monkeypatch.setattr("voxk8s.controller.resolve.store_cache.open_store", open_memory)
    monkeypatch.setattr("voxk8s.inputs.pinning.stat", stat)
    found = resolve_plan.resolve_plan(WARM_UP)
    assert isinstance(found, Resolved)
    assert (found.store_checked, found.final_status) == (True, None)
    assert asked == ["s3://results", "s3://results/runs/rehearsal.json"]


@pytest.mark.parametrize("error", [StoreUnreachable("away"), ValueError("unforeseen")])
def test_failed_warm_up_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """A failed warm-up is logged at most: the first plan reports the same error to its user."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(resolve_plan, "store_cache", StoreCache())
    monkeypatch.setattr("voxk8s.controller.resolve.store_cache.open_store", fail)
    with caplog.at_level(logging.INFO):
        process_pool.warm_up(WARM_UP)
    assert ("unforeseen" in caplog.text) is isinstance(error, ValueError)


def test_warm_up_without_a_store(script: Script) -> None:
    """An operator without a default store resolves nothing to warm up."""
    process_pool.warm_up(None)
    assert script.seen == []
