"""The pool of processes that resolve plans."""

from __future__ import annotations

import asyncio
import logging
import resource
import subprocess
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.waiting import until, wait_until
from tests.unit.controller.resolve.scripted_resolution import Script, request, thread_pool
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve import process_pool, resolve_plan
from voxk8s.controller.resolve.process_pool import SLICES, ProcessPool, Slice
from voxk8s.controller.resolve.resolution_state import Invalid, Resolved
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.store_cache import StoreCache
from voxk8s.errors import InputUnavailable, StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, TrustDomains, open_store

LAST = len(SLICES) - 1
WARM_UP = process_pool.warm_up_request(
    "s3://results", StoreOptions(endpoint="http://s3:8333"), TrustDomains()
)


async def test_process_that_dies_is_replaced(script: Script) -> None:
    """A plan whose process died begins again with the next slice, with the last one once more."""
    pool = thread_pool()
    script.results["once"] = [BrokenProcessPool(), Resolved(threads=3)]
    script.results["always"] = [BrokenProcessPool()]
    for attempt in range(LAST):
        assert await pool.resolve(request("always"), attempt) is None
    assert await pool.resolve(request("once"), LAST) == Resolved(threads=3)
    found = await pool.resolve(request("always"), LAST)
    assert isinstance(found, Invalid)
    assert script.seen == ["always"] * LAST + ["once"] * 2 + ["always"] * 2
    assert await pool.resolve(request("fine")) == Resolved()
    pool.close()


async def test_plan_without_memory(script: Script) -> None:
    """What fits into no process gets two shares of the memory, and then no longer slices."""
    pool = thread_pool()
    script.results["wide"] = [None]
    assert await pool.resolve(request("wide")) is None
    found = await pool.resolve(request("wide"), 1)
    assert isinstance(found, Invalid)
    assert (found.reason, "loops" in found.message) == ("PlanTooLarge", True)
    pool.close()


async def test_plan_that_takes_too_long_is_left_to_the_runner(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that exceeds its slice gets a longer one, and after the last one a runner."""
    monkeypatch.setattr(process_pool, "SLICES", [Slice(None, 0.01), Slice(None, 0.02)])
    pool = thread_pool()
    script.gate.clear()
    assert await pool.resolve(request("slow")) is None
    assert await pool.resolve(request("slow"), 1) == Resolved(store_checked=False)
    monkeypatch.setattr(process_pool, "SLICES", [Slice(None, 5.0)])
    following = asyncio.create_task(pool.resolve(request("fine")))
    await until(lambda: script.seen == ["slow", "slow", "fine"], seconds=2)
    script.gate.set()
    assert await following == Resolved()
    pool.close()


@pytest.mark.parametrize("full", [True, False])
def test_errors_without_memory(monkeypatch: pytest.MonkeyPatch, full: bool) -> None:
    """Any error of a process that has no memory left counts as one of memory."""

    def fail(_: ResolveRequest) -> None:
        raise ValueError("[digital envelope routines] not able to copy ctx")

    monkeypatch.setattr(process_pool, "resolve_plan", fail)
    limits = (1000, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(process_pool, "data_bytes", lambda: 990 if full else 900)
    with nullcontext() if full else pytest.raises(ValueError, match="copy ctx"):
        assert process_pool.resolve_within(request(), 60.0) is None


async def test_slice_of_processor_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that computes for longer than its slice ends, in whatever it is."""
    monkeypatch.setattr(process_pool, "SLICES", [Slice(0.2, 60.0), Slice(None, 60.0)])
    pool = ProcessPool(1, 2**30)
    text = b'print "x" for i in range(0, 100000) do i + 1'
    wide = replace(request(), document=Document(text, "imgql"), url=None)
    small = replace(wide, document=Document(b'print "x" 1 + 2', "imgql"))
    assert await pool.resolve(wide) is None
    assert isinstance(await pool.resolve(small), Resolved)
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
    for attempt in (1, 0, 2):
        assert await pool.resolve(request("a"), attempt) == Resolved()
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


_OPERATOR = """
import os, time
from voxk8s.controller.resolve.process_pool import ProcessPool
process = ProcessPool(1, 2**30)._start_process()
print(process.submit(os.getpid).result(), process.submit(os.getppid).result(), flush=True)
time.sleep(600)
"""


def test_processes_end_with_an_operator_that_is_killed() -> None:
    """Neither a process that resolves plans nor the fork server stays."""
    with subprocess.Popen([sys.executable, "-c", _OPERATOR], stdout=subprocess.PIPE) as operator:
        assert operator.stdout is not None
        pids = [int(word) for word in operator.stdout.readline().split()]
        operator.kill()
    assert len(pids) == 2
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
