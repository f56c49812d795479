"""Finds out about plans in the background: processes for the work, the loop for the waiting.

What is known of a plan is kept until it is forgotten. The most urgent plan goes first. A process
that dies (of memory, most likely) takes its plan down, not the operator, nor the plan beside it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.resolve import process_pool, resolve_plan
from voxk8s.controller.resolve.priority_semaphore import PrioritySemaphore
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    Resolution,
    Resolved,
    Resolving,
    Unresolved,
)
from voxk8s.controller.resolve.resolve_plan import Answer, ResolveRequest, TransientFailure
from voxk8s.controller.work_queue import Backoff

_log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds that a plan may be looked up for."""
WARM_UP = 15.0
"""Seconds that the processes may take to be ready before nobody waits for them."""
_TRIES_OF_A_PROCESS = 2
_LARGE = 1024 * 1024
"""Bytes of a document from which on plans take turns: one of them may use most of the memory."""

Prepare = Callable[[], Awaitable[ResolveRequest | Answer]]
"""Reads what the cluster knows of a plan; gives what to look up, or the answer already."""


@dataclass(slots=True)
class Resolver:
    """What is known of each WorkPlan's plan, by the WorkPlan's uid.

    Every process resolves `warm_up_request` before its first plan; `executor` replaces the
    processes in tests.
    """

    processes: int
    memory: int
    now: Callable[[], datetime]
    executor: Callable[[], Executor] | None = None
    warm_up_request: ResolveRequest | None = None
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, most=10.0, jitter=0.1))
    _known: dict[str, Resolution] = field(default_factory=dict)
    _delays: dict[str, int] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _large: PrioritySemaphore = field(default_factory=lambda: PrioritySemaphore(1))
    _free: PrioritySemaphore = field(init=False)
    _idle: list[Executor] = field(default_factory=list)
    _busy: set[Executor] = field(default_factory=set)
    _closed: bool = False

    def __post_init__(self) -> None:
        """Give each process a place."""
        self._free = PrioritySemaphore(self.processes)

    def state(self, uid: str) -> Resolution:
        """Say what is known of a plan now."""
        return self._known.get(uid, Unresolved())

    def start(self, uid: str, priority: int, prepare: Prepare, done: Callable[[], None]) -> None:
        """Find out about a plan, unless that is under way; `done` is called at the end."""
        if uid in self._tasks:
            return
        last = self._known.get(uid)
        self._known[uid] = Resolving(last if isinstance(last, Blocked) else None)
        task = asyncio.create_task(self._resolve(uid, priority, prepare))
        self._tasks[uid] = task

        def finish(ended: asyncio.Task[None]) -> None:
            if self._tasks.get(uid) is ended:
                del self._tasks[uid]
                done()

        task.add_done_callback(finish)

    def forget(self, uid: str) -> None:
        """Drop what is known of a plan, and stop finding out."""
        self._known.pop(uid, None)
        self._delays.pop(uid, None)
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()

    async def warm_up(self) -> None:
        """Start the processes and wait until each has rehearsed, or takes too long to wait for."""
        self._idle += [self._start() for _ in range(self.processes)]
        loop = asyncio.get_running_loop()
        ready = [
            loop.run_in_executor(process, process_pool.warm_up, None) for process in self._idle
        ]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*ready, return_exceptions=True), WARM_UP)

    async def close(self) -> None:
        """Stop everything."""
        self._closed = True
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for process in (*self._idle, *self._busy):
            process.shutdown(wait=False, cancel_futures=True)

    @property
    def backlog(self) -> int:
        """Plans that wait for a process."""
        return len(self._free) + len(self._large)

    async def _resolve(self, uid: str, priority: int, prepare: Prepare) -> None:
        answer: Answer
        try:
            prepared = await prepare()
            if isinstance(prepared, ResolveRequest):
                answer = await self._in_turn(uid, priority, prepared)
            else:
                answer = prepared
        except Exception:  # noqa: BLE001 - told to the user, and tried again
            _log.exception("looking up the plan of WorkPlan %s failed", uid)
            answer = TransientFailure(
                constants.REASON_SOURCE_UNAVAILABLE,
                "The plan could not be looked into; the operator's log says why.",
            )
        self._known[uid] = self._settle(uid, answer)

    def _settle(self, uid: str, answer: Answer) -> Blocked | Invalid | Resolved:
        if not isinstance(answer, TransientFailure):
            self._delays.pop(uid, None)
            return answer
        failures = self._delays[uid] = self._delays.get(uid, 0) + 1
        wait = self.backoff.delay(failures, lambda: 0.0)
        retry_at = self.now() + timedelta(seconds=wait)
        return Blocked(answer.reason, answer.message, retry_at)

    async def _in_turn(self, uid: str, priority: int, request: ResolveRequest) -> Answer:
        """Wait for a process, the most urgent first, and use it; large plans one at a time."""
        large = self._large.take(priority) if _is_large(request) else nullcontext()
        async with large, self._free.take(priority):
            return await self._look_up(uid, request)

    async def _look_up(self, uid: str, request: ResolveRequest) -> Answer:
        for _ in range(_TRIES_OF_A_PROCESS):
            process = self._idle.pop() if self._idle else self._start()
            self._busy.add(process)
            try:
                work = asyncio.get_running_loop().run_in_executor(
                    process, resolve_plan.resolve_plan, request
                )
                answer = await asyncio.wait_for(work, PATIENCE)
            except BrokenProcessPool:
                _log.warning("a process died while it looked up the plan of WorkPlan %s", uid)
                self._replace(process)
            except TimeoutError:
                self._replace(process)
                break
            except asyncio.CancelledError:
                self._replace(process)  # nobody waits for what it is doing, but others wait for it
                raise
            except BaseException:
                self._give_back(process)
                raise
            else:
                self._give_back(process)
                return answer
        return Invalid(
            constants.REASON_PLAN_TOO_LARGE,
            "The plan needs more time or memory to be looked up than the operator may use. Make it"
            " smaller, or write its repetitions as loops.",
        )

    def _start(self) -> Executor:
        """Start a process, which rehearses before anything else."""
        process = self.executor() if self.executor else self._process()
        process.submit(process_pool.warm_up, self.warm_up_request)
        return process

    def _process(self) -> Executor:
        return ProcessPoolExecutor(
            1,
            # Forked processes would inherit the loop's threads and sockets.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=process_pool.prepare,
            initargs=(self.memory,),
        )

    def _give_back(self, process: Executor) -> None:
        self._busy.discard(process)
        self._idle.append(process)

    def _replace(self, process: Executor) -> None:
        """End a process, if it is not dead already, and start another one in its place."""
        self._busy.discard(process)
        if isinstance(process, ProcessPoolExecutor):
            for alive in list((process._processes or {}).values()):
                alive.kill()
        process.shutdown(wait=False, cancel_futures=True)
        if not self._closed:
            self._idle.append(self._start())


def _is_large(request: ResolveRequest) -> bool:
    """Say whether a plan may be large; of one behind a URL nobody knows."""
    return request.document is None or len(request.document.data) >= _LARGE
