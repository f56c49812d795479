"""Looking plans up in the background."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from typing import Any

import pytest

from tests.support.waiting import until
from tests.unit.controller.observed_builders import START
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve import process_pool, resolve_plan
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    Resolved,
    Resolving,
    Unresolved,
)
from voxk8s.controller.resolve.resolve_plan import Answer, ResolveRequest, TransientFailure
from voxk8s.controller.resolve.resolver import Resolver


def request(url: str = "s3://b/plan.json", size: int = 10) -> ResolveRequest:
    """Make a request; `url` tells it from others."""
    document = Document(b"x" * size, "json")
    return ResolveRequest(document, url, None, None, "Use", None, "memory://x", None)


class Script:
    """Stands in for the look-up: answers as told, in the order of calls."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.answers: dict[str | None, list[Answer | BaseException]] = {}
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, asked: ResolveRequest) -> Answer:
        self.seen.append(asked.url)
        self.gate.wait(5)
        answers = self.answers.get(asked.url) or [Resolved()]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """A scripted look-up."""
    script = Script()
    monkeypatch.setattr(resolve_plan, "resolve_plan", script)
    monkeypatch.setattr(process_pool, "resolve_plan", script)
    return script


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    """A resolver with one thread in place of processes."""

    def executor() -> Executor:
        return ThreadPoolExecutor(1)

    made = Resolver(1, 2**30, lambda: START, executor)
    yield made
    await made.close()


async def find_out(resolver: Resolver, uid: str, prepared: Any, priority: int = 0) -> Any:
    """Start a look-up and wait for its end."""
    done = asyncio.Event()

    async def prepare() -> Any:
        if isinstance(prepared, Exception):
            raise prepared
        return prepared

    resolver.start(uid, priority, prepare, done.set)
    await asyncio.wait_for(done.wait(), 5)
    return resolver.state(uid)


async def test_answer_is_kept_until_forgotten(resolver: Resolver, script: Script) -> None:
    """An answer is known until it is stuck_autoscalers."""
    assert resolver.state("u") == Unresolved()
    assert await find_out(resolver, "u", request()) == Resolved()
    resolver.forget("u")
    assert resolver.state("u") == Unresolved()


async def test_answer_without_a_look_up(resolver: Resolver, script: Script) -> None:
    """What the preparation knows already needs no process."""
    invalid = Invalid("InvalidPlan", "at $")
    assert await find_out(resolver, "u", invalid) == invalid
    assert script.seen == []


async def test_delays_grow(resolver: Resolver, script: Script) -> None:
    """What has to wait is tried again later and later; meanwhile it stays told."""
    delay = TransientFailure("StoreUnreachable", "away")
    waits = []
    for _ in range(3):
        found = await find_out(resolver, "u", delay)
        assert isinstance(found, Blocked)
        waits.append((found.retry_at - START).total_seconds())
    assert waits == [1, 2, 4]
    script.gate.clear()
    task = asyncio.create_task(find_out(resolver, "u", request()))
    await asyncio.sleep(0)
    assert resolver.state("u") == Resolving(found)
    script.gate.set()
    assert await task == Resolved()
    assert isinstance(await find_out(resolver, "u", delay), Blocked)


async def test_the_most_urgent_goes_first(resolver: Resolver, script: Script) -> None:
    """While the process is busy others wait, and the highest priority goes first."""
    script.gate.clear()
    order = [("a", 0), ("low", -5), ("high", 7), ("mid", 0)]
    tasks = []
    for uid, priority in order:
        work = find_out(resolver, uid, request(uid), priority)
        tasks.append(asyncio.create_task(work))
        await asyncio.sleep(0.01)
    assert resolver.backlog == 3
    script.gate.set()
    await asyncio.gather(*tasks)
    assert script.seen == ["a", "high", "mid", "low"]


async def test_a_process_that_dies_is_replaced(resolver: Resolver, script: Script) -> None:
    """A look-up whose process died is tried once more, then called too large."""
    script.answers["once"] = [BrokenProcessPool(), Resolved(width=3)]
    script.answers["always"] = [BrokenProcessPool()]
    assert await find_out(resolver, "u", request("once")) == Resolved(width=3)
    found = await find_out(resolver, "v", request("always"))
    assert isinstance(found, Invalid)
    assert found.reason == "PlanTooLarge"
    assert await find_out(resolver, "w", request("fine")) == Resolved()


async def test_unexpected_errors_are_tried_again(resolver: Resolver, script: Script) -> None:
    """A failure that nobody foresaw delays a plan and stops nothing else."""
    assert isinstance(await find_out(resolver, "u", ValueError("?")), Blocked)
    script.answers["x"] = [ValueError("?")]
    assert isinstance(await find_out(resolver, "v", request("x")), Blocked)
    assert await find_out(resolver, "w", request()) == Resolved()


async def test_forgetting_stops_waiting(resolver: Resolver, script: Script) -> None:
    """A plan that is stuck_autoscalers while it waits gives its turn to the next."""
    script.gate.clear()
    first = asyncio.create_task(find_out(resolver, "a", request("a")))
    await asyncio.sleep(0.01)

    async def prepare() -> ResolveRequest:
        return request("b")

    resolver.start("b", 0, prepare, lambda: None)
    await asyncio.sleep(0.01)
    resolver.forget("b")
    script.gate.set()
    await first
    assert await find_out(resolver, "c", request("c")) == Resolved()
    assert script.seen == ["a", "c"]


async def test_a_plan_waits_for_the_rehearsal(script: Script) -> None:
    """A process rehearses before its first plan, and all of them have when the warm-up ends."""
    warm_up_request = request("warm_up_request")
    resolver = Resolver(2, 2**30, lambda: START, lambda: ThreadPoolExecutor(1), warm_up_request)
    script.gate.clear()
    warming = asyncio.create_task(resolver.warm_up())
    first = asyncio.create_task(find_out(resolver, "a", request("a")))
    await until(lambda: script.seen == ["warm_up_request"] * 2)
    assert not warming.done()
    script.gate.set()
    await asyncio.wait_for(warming, 5)
    assert await first == Resolved()
    assert script.seen == ["warm_up_request", "warm_up_request", "a"]
    await resolver.close()


async def test_nobody_waits_long_for_a_rehearsal(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer makes no operator readiness_error."""
    monkeypatch.setattr("voxk8s.controller.resolve.resolver.WARM_UP", 0.01)
    warm_up_request = request("warm_up_request")
    resolver = Resolver(1, 2**30, lambda: START, lambda: ThreadPoolExecutor(1), warm_up_request)
    script.gate.clear()
    await asyncio.wait_for(resolver.warm_up(), 5)
    script.gate.set()
    await resolver.close()


async def test_a_plan_that_is_forgotten_holds_up_nobody(script: Script) -> None:
    """A process that works for nobody any more is replaced: the next plan does not wait for it."""
    resolver = Resolver(1, 2**30, lambda: START, lambda: ThreadPoolExecutor(1))
    script.gate.clear()

    async def prepare() -> ResolveRequest:
        return request("huge")

    resolver.start("huge", 0, prepare, lambda: None)
    await until(lambda: script.seen == ["huge"])
    resolver.forget("huge")
    next_one = asyncio.create_task(find_out(resolver, "small", request("small")))
    await until(lambda: script.seen == ["huge", "small"])
    script.gate.set()
    assert await next_one == Resolved()
    await resolver.close()


async def test_large_plans_leave_room_for_small_ones(script: Script) -> None:
    """Large plans take turns, the most urgent first, and never use all processes."""
    resolver = Resolver(2, 2**30, lambda: START, lambda: ThreadPoolExecutor(1))
    script.gate.clear()
    large = [("a", 0), ("b", 0), ("urgent", 9)]
    tasks = []
    for uid, priority in large:
        work = find_out(resolver, uid, request(uid, size=2**21), priority)
        tasks.append(asyncio.create_task(work))
        await asyncio.sleep(0.01)
    small = asyncio.create_task(find_out(resolver, "small", request("small")))
    await asyncio.sleep(0.01)
    assert script.seen == ["a", "small"]
    assert resolver.backlog == 2
    script.gate.set()
    await asyncio.gather(small, *tasks)
    assert script.seen == ["a", "small", "urgent", "b"]
    await resolver.close()


def test_backoff_is_bounded() -> None:
    """No plan waits longer than ten seconds for its next look."""
    resolver = Resolver(1, 2**30, lambda: START)
    assert timedelta(seconds=resolver.backoff.delay(99, lambda: 0.0)) == timedelta(seconds=10)
