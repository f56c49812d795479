"""The resolver: states, retries, priorities and cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from typing import Any

import pytest

from tests.support.waiting import until
from tests.unit.controller.observed_builders import START
from tests.unit.controller.resolve.scripted_resolution import Script, request, thread_pool
from voxk8s.controller.resolve import process_pool
from voxk8s.controller.resolve.process_pool import Slice
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    Resolved,
    Resolving,
    TransientFailure,
    Unresolved,
)
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.errors import StoreUnreachable


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    """A resolver with one thread in place of processes."""
    made = Resolver(thread_pool(), lambda: START)
    yield made
    await made.close()


async def resolve(
    resolver: Resolver, uid: str, made: Any, priority: int = 0, namespace: str = "lab"
) -> Any:
    """Start a resolution, wait for its end, and return the state; `made` may be an error."""
    done = asyncio.Event()

    async def make_request() -> Any:
        if isinstance(made, Exception):
            raise made
        return made

    resolver.start(uid, namespace, priority, make_request, done.set)
    await asyncio.wait_for(done.wait(), 5)
    return resolver.state(uid)


async def queued(resolver: Resolver, script: Script, backlog: int) -> None:
    """Wait until one plan is being resolved and `backlog` plans wait."""
    await until(lambda: bool(script.seen) and resolver.backlog == backlog)


async def test_result_is_kept_until_forgotten(resolver: Resolver, script: Script) -> None:
    """A result is the state of its WorkPlan until it is forgotten."""
    assert resolver.state("u") == Unresolved()
    assert await resolve(resolver, "u", request()) == Resolved()
    resolver.forget("u")
    assert resolver.state("u") == Unresolved()


async def test_result_without_a_request(resolver: Resolver, script: Script) -> None:
    """A result that is known before there is a request needs no process."""
    invalid = Invalid("InvalidPlan", "at $")
    assert await resolve(resolver, "u", invalid) == invalid
    assert script.seen == []


async def test_no_credentials_to_look_up_with(resolver: Resolver, script: Script) -> None:
    """A store that gives no session is named as what it is, and asked again."""
    found = await resolve(resolver, "u", StoreUnreachable("the STS does not answer"))
    assert isinstance(found, Blocked)
    assert (found.reason, found.message) == ("StoreUnreachable", "the STS does not answer")
    assert script.seen == []


async def test_transient_failures_back_off(resolver: Resolver, script: Script) -> None:
    """Delays double while failures repeat; during a retry the previous failure is reported."""
    failure = TransientFailure("StoreUnreachable", "away")
    delays = []
    for _ in range(3):
        found = await resolve(resolver, "u", failure)
        assert isinstance(found, Blocked)
        delays.append((found.retry_at - START).total_seconds())
    assert delays == [1, 2, 4]
    script.gate.clear()
    task = asyncio.create_task(resolve(resolver, "u", request()))
    await asyncio.sleep(0)
    assert resolver.state("u") == Resolving(found)
    script.gate.set()
    assert await task == Resolved()
    found = await resolve(resolver, "u", failure)
    assert isinstance(found, Blocked)
    assert found.retry_at == START + timedelta(seconds=1)


async def test_a_full_store_is_asked_every_five_minutes(resolver: Resolver, script: Script) -> None:
    """A thousand plans that wait for room for days leave time for all others."""
    for _ in range(6):
        found = await resolve(resolver, "u", TransientFailure("StoreFull", "full"))
    assert isinstance(found, Blocked)
    assert found.retry_at == START + timedelta(minutes=5)


async def test_highest_priority_goes_first(resolver: Resolver, script: Script) -> None:
    """While the process is busy plans queue, the highest priority first."""
    script.gate.clear()
    order = [("a", 0), ("low", -5), ("high", 7), ("mid", 0)]
    tasks = []
    for number, (uid, priority) in enumerate(order):
        tasks.append(asyncio.create_task(resolve(resolver, uid, request(uid), priority)))
        await queued(resolver, script, number)
    script.gate.set()
    await asyncio.gather(*tasks)
    assert script.seen == ["a", "high", "mid", "low"]


async def test_plan_that_kills_its_process_is_too_large(resolver: Resolver, script: Script) -> None:
    """A plan that no process can resolve is invalid, and the message says what to do."""
    script.results["always"] = [BrokenProcessPool()]
    found = await resolve(resolver, "v", request("always"))
    assert isinstance(found, Invalid)
    assert found.reason == "PlanTooLarge"
    assert "loops" in found.message


async def test_plan_that_turns_out_to_be_large_gets_more_memory(
    resolver: Resolver, script: Script
) -> None:
    """A short program may expand to much: after a process that ended it is a large plan."""
    script.results["short"] = [BrokenProcessPool(), None, Resolved(threads=3)]
    script.results["wide"] = [None, Resolved(threads=3)]
    assert isinstance(await resolve(resolver, "v", request("short")), Invalid)
    assert await resolve(resolver, "w", request("wide")) == Resolved(threads=3)
    assert script.seen == ["short", "short", "wide", "wide"]


@pytest.mark.parametrize(("size", "attempts"), [(10, 4), (2**20, 3), (2**23, 2), (2**26, 1)])
async def test_documents_begin_with_a_slice_of_their_size(
    resolver: Resolver, script: Script, size: int, attempts: int
) -> None:
    """What is too short for sure is not tried; one after the other the slices become longer."""
    script.results["u"] = [*[BrokenProcessPool()] * (attempts - 1), Resolved()]
    assert await resolve(resolver, "u", request("u", size)) == Resolved()
    assert len(script.seen) == attempts


async def test_unexpected_errors_are_retried(resolver: Resolver, script: Script) -> None:
    """An unexpected error delays a plan and stops nothing else."""
    assert isinstance(await resolve(resolver, "u", ValueError("?")), Blocked)
    script.results["x"] = [ValueError("?")]
    assert isinstance(await resolve(resolver, "v", request("x")), Blocked)
    assert await resolve(resolver, "w", request()) == Resolved()


async def test_forgotten_plan_leaves_the_queue(resolver: Resolver, script: Script) -> None:
    """A plan that is forgotten while it waits is never resolved; the next one is."""
    script.gate.clear()
    first = asyncio.create_task(resolve(resolver, "a", request("a")))
    await until(lambda: script.seen == ["a"])

    async def make_request() -> ResolveRequest:
        return request("b")

    resolver.start("b", "lab", 0, make_request, lambda: None)
    await until(lambda: resolver.backlog == 1)
    resolver.forget("b")
    script.gate.set()
    await first
    assert await resolve(resolver, "c", request("c")) == Resolved()
    assert script.seen == ["a", "c"]


async def test_forgotten_plan_frees_its_process(script: Script) -> None:
    """The process of a forgotten plan is replaced: the next plan does not wait for it."""
    resolver = Resolver(thread_pool(), lambda: START)
    script.gate.clear()

    async def make_request() -> ResolveRequest:
        return request("huge")

    resolver.start("huge", "lab", 0, make_request, lambda: None)
    await until(lambda: script.seen == ["huge"])
    resolver.forget("huge")
    following = asyncio.create_task(resolve(resolver, "small", request("small")))
    await until(lambda: script.seen == ["huge", "small"])
    script.gate.set()
    assert await following == Resolved()
    await resolver.close()


async def test_large_plans_leave_room_for_small_ones(script: Script) -> None:
    """Large plans run one at a time, by priority, and never occupy all processes."""
    resolver = Resolver(thread_pool(2), lambda: START)
    script.gate.clear()
    tasks = []
    for number, (uid, priority) in enumerate([("a", 0), ("b", 0), ("urgent", 9)]):
        large = request(uid, size=2**21)
        tasks.append(asyncio.create_task(resolve(resolver, uid, large, priority)))
        await queued(resolver, script, number)
    small = asyncio.create_task(resolve(resolver, "small", request("small")))
    await until(lambda: script.seen == ["a", "small"])
    assert resolver.backlog == 2
    script.gate.set()
    await asyncio.gather(small, *tasks)
    assert script.seen == ["a", "small", "urgent", "b"]
    await resolver.close()


async def test_namespaces_take_turns(resolver: Resolver, script: Script) -> None:
    """However many plans of whatever priority one namespace has, another one is next."""
    script.gate.clear()
    tasks = []
    for number in range(200):
        flood = resolve(resolver, f"x{number}", request(f"x{number}"), 1000, "stranger")
        tasks.append(asyncio.create_task(flood))
    await queued(resolver, script, 199)
    victim = asyncio.create_task(resolve(resolver, "mine", request("mine"), -5, "lab"))
    await until(lambda: resolver.backlog == 200)
    script.gate.set()
    await asyncio.gather(victim, *tasks)
    # One was being resolved, and one had been read before it came.
    assert script.seen.index("mine") <= 2


async def test_a_crowd_is_that_of_its_namespaces(resolver: Resolver, script: Script) -> None:
    """Who has few plans among many of others is not in it: fair turns make his look-ups quick."""
    script.gate.clear()
    tasks: list[asyncio.Task[Any]] = []

    async def start(namespace: str, count: int) -> None:
        waiting = resolver.backlog + count - (not tasks)
        for _ in range(count):
            uid = f"{namespace}{len(tasks)}"
            begun = resolve(resolver, uid, request(uid), namespace=namespace)
            tasks.append(asyncio.create_task(begun))
        await queued(resolver, script, waiting)

    def crowded() -> list[str]:
        return [each for each in ("a", "b", "c") if resolver.is_crowded(each)]

    await start("a", 9)
    assert crowded() == [], "eight wait"
    await start("a", 11)
    assert crowded() == ["a"]
    await start("b", 2)
    assert crowded() == ["a"]
    await start("b", 17)
    assert crowded() == ["a", "b"]
    script.gate.set()
    await asyncio.gather(*tasks)
    assert crowded() == []


async def test_small_plans_of_a_large_one_delay_no_large_ones(script: Script) -> None:
    """Not even with a higher priority: it would keep the turn of all large plans meanwhile."""
    resolver = Resolver(thread_pool(2), lambda: START)
    script.gate.clear()
    tasks = []

    def start(uid: str, size: int, priority: int, namespace: str) -> None:
        begun = resolve(resolver, uid, request(uid, size), priority, namespace)
        tasks.append(asyncio.create_task(begun))

    for number in range(2):
        start(f"s{number}", 10, 9, "stranger")
    await until(lambda: len(script.seen) == 2)
    start("large", 2**21, 0, "stranger")
    for number in range(2, 50):
        start(f"s{number}", 10, 9, "stranger")
    start("mine", 2**21, 0, "lab")
    await until(lambda: resolver.backlog == 50)
    script.gate.set()
    await asyncio.gather(*tasks)
    assert script.seen.index("mine") < 20
    await resolver.close()


async def test_waiting_plans_are_not_in_memory(script: Script) -> None:
    """Few sources are read before there is a process for them, large plans included."""
    resolver = Resolver(thread_pool(2), lambda: START)
    script.gate.clear()
    read: list[str] = []

    def reading(uid: str, size: int) -> Any:
        async def make_request() -> ResolveRequest:
            read.append(uid)
            return request(uid, size)

        return make_request

    for number in range(50):
        resolver.start(f"s{number}", "lab", 0, reading(f"s{number}", 10), lambda: None)
        resolver.start(f"l{number}", "lab", 0, reading(f"l{number}", 2**21), lambda: None)
    await until(lambda: len(script.seen) == 2)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len([uid for uid in read if uid.startswith("s")]) <= 4
    await resolver.close()


async def test_plan_that_takes_too_long_counts_as_large(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that keep a process for long do so one at a time."""
    slices = [Slice(0.3, 0.01), *[Slice(2.0, 60.0)] * (len(process_pool.SLICES) - 1)]
    monkeypatch.setattr(process_pool, "SLICES", slices)
    resolver = Resolver(thread_pool(2), lambda: START)
    script.gate.clear()
    slow = asyncio.create_task(resolve(resolver, "slow", request("slow")))
    await until(lambda: script.seen == ["slow", "slow"])
    script.gate.set()
    assert await slow == Resolved()
    await resolver.close()


def test_backoff_is_bounded() -> None:
    """A plan is retried at least every ten seconds."""
    resolver = Resolver(thread_pool(), lambda: START)
    assert timedelta(seconds=resolver.backoff.delay(99, lambda: 0.0)) == timedelta(seconds=10)
