"""Finds out about plans in the background: processes for the work, the loop for the waiting.

What is known of a plan is kept until it is forgotten. The most urgent plan goes first. A process
that dies (of memory, most likely) takes its plan down, not the operator.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller import lookup
from voxk8s.controller.lookup import Answer, Delay, Request
from voxk8s.controller.queue import Backoff
from voxk8s.controller.resolution import (
    Blocked,
    Invalid,
    Resolution,
    Resolved,
    Resolving,
    Unresolved,
)
from voxk8s.controller.turns import Turns

_log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds that a plan may be looked up for."""
_TRIES_OF_A_PROCESS = 2
_LARGE = 1024 * 1024
"""Bytes of a document from which on plans take turns: one of them may use most of the memory."""

Prepare = Callable[[], Awaitable[Request | Answer]]
"""Reads what the cluster knows of a plan; gives what to look up, or the answer already."""


@dataclass(slots=True)
class Resolver:
    """What is known of each WorkPlan's plan, by the WorkPlan's uid."""

    processes: int
    memory: int
    now: Callable[[], datetime]
    executor: Callable[[], Executor] | None = None
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, most=10.0, jitter=0.1))
    _known: dict[str, Resolution] = field(default_factory=dict)
    _delays: dict[str, int] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _large: Turns = field(default_factory=lambda: Turns(1))
    _free: Turns = field(init=False)
    _pool: Executor | None = None

    def __post_init__(self) -> None:
        """Give each process a place."""
        self._free = Turns(self.processes)

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

    def warm_up(self) -> None:
        """Start the processes, so that the first plan need not wait for them."""
        for _ in range(self.processes):
            self._executor().submit(lookup.prepare, self.memory)

    async def close(self) -> None:
        """Stop everything."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def backlog(self) -> int:
        """Plans that wait for a process."""
        return len(self._free) + len(self._large)

    async def _resolve(self, uid: str, priority: int, prepare: Prepare) -> None:
        answer: Answer
        try:
            prepared = await prepare()
            if isinstance(prepared, Request):
                answer = await self._in_turn(uid, priority, prepared)
            else:
                answer = prepared
        except Exception:  # noqa: BLE001 - told to the user, and tried again
            _log.exception("looking up the plan of WorkPlan %s failed", uid)
            answer = Delay(
                constants.REASON_SOURCE_UNAVAILABLE,
                "The plan could not be looked into; the operator's log says why.",
            )
        self._known[uid] = self._settle(uid, answer)

    def _settle(self, uid: str, answer: Answer) -> Blocked | Invalid | Resolved:
        if not isinstance(answer, Delay):
            self._delays.pop(uid, None)
            return answer
        failures = self._delays[uid] = self._delays.get(uid, 0) + 1
        wait = self.backoff.delay(failures, lambda: 0.0)
        retry_at = self.now() + timedelta(seconds=wait)
        return Blocked(answer.reason, answer.message, retry_at)

    async def _in_turn(self, uid: str, priority: int, request: Request) -> Answer:
        """Wait for a process, the most urgent first, and use it; large plans one at a time."""
        large = self._large.take(priority) if _is_large(request) else nullcontext()
        async with large, self._free.take(priority):
            return await self._look_up(uid, request)

    async def _look_up(self, uid: str, request: Request) -> Answer:
        for _ in range(_TRIES_OF_A_PROCESS):
            pool = self._executor()
            try:
                work = asyncio.get_running_loop().run_in_executor(pool, lookup.look_up, request)
                return await asyncio.wait_for(work, PATIENCE)
            except BrokenProcessPool:
                _log.warning("a process died while it looked up the plan of WorkPlan %s", uid)
                self._drop(pool)
            except TimeoutError:
                self._drop(pool, kill=True)
                break
        return Invalid(
            constants.REASON_PLAN_TOO_LARGE,
            "The plan needs more time or memory to be looked up than the operator may use. Make it"
            " smaller, or write its repetitions as loops.",
        )

    def _executor(self) -> Executor:
        if self._pool is None:
            self._pool = self.executor() if self.executor else self._processes()
        return self._pool

    def _processes(self) -> Executor:
        return ProcessPoolExecutor(
            self.processes,
            # Forked processes would inherit the loop's threads and sockets.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=lookup.prepare,
            initargs=(self.memory,),
        )

    def _drop(self, pool: Executor, *, kill: bool = False) -> None:
        """Go on with new processes; others that used the old ones are tried again."""
        if self._pool is pool:
            self._pool = None
        if kill and isinstance(pool, ProcessPoolExecutor):
            for process in list((pool._processes or {}).values()):
                process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _is_large(request: Request) -> bool:
    """Say whether a plan may be large; of one behind a URL nobody knows."""
    return request.document is None or len(request.document.data) >= _LARGE
