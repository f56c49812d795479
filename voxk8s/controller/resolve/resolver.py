"""Resolves plans in the background, fairly by namespace, and keeps the results until dropped.

All plans that may be small share the processes. Those that turned out to need more time share one
of them, so that the others are left; there, too, those go first that have had little time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from voxk8s import constants
from voxk8s.controller.resolve.fair_semaphore import Admission, FairSemaphore
from voxk8s.controller.resolve.process_pool import CPU_PER_BYTE, SLICES, ProcessPool
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    ResolutionState,
    Resolved,
    ResolveResult,
    Resolving,
    TransientFailure,
    Unresolved,
)
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.work_queue import Backoff
from voxk8s.errors import StoreAccessDenied, StoreUnreachable

_log = logging.getLogger(__name__)

_READ_AHEAD = 2
"""Sources that are read while all processes are busy: thousands of waiting plans take no memory."""

_CROWD = 8
"""Number of waiting plans from which on they are many."""

_LARGE_PLANS = ""
"""The group of all large plans where they wait for a process; no namespace has this name.

In the group of its namespace, one could wait for all small plans there, and others for it.
"""

MakeRequest = Callable[[], Awaitable[ResolveRequest | Invalid | TransientFailure]]
"""Reads a plan's source from the cluster; returns the request, or why there can be none."""


class _Place(NamedTuple):
    """Where a plan waits."""

    namespace: str
    priority: int


class _Larger(NamedTuple):
    """That a plan needs more than a slice of time, and which attempt is next."""

    attempt: int


@dataclass(slots=True)
class Resolver:
    """The state of resolution of each WorkPlan, by its uid."""

    pool: ProcessPool
    now: Callable[[], datetime]
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, most=10.0, jitter=0.1))
    full_backoff: Backoff = field(default_factory=lambda: Backoff(first=10.0, most=300.0))
    """For plans whose store is full: it is listed every few minutes only."""
    _states: dict[str, ResolutionState] = field(default_factory=dict)
    _bases: dict[str, object] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _large: FairSemaphore = field(default_factory=lambda: FairSemaphore(1))
    _processes: FairSemaphore = field(init=False)
    _sources: FairSemaphore = field(init=False)

    def __post_init__(self) -> None:
        """Admit as many plans at a time as the pool has processes; the next ones are read ahead."""
        self._processes = FairSemaphore(self.pool.processes)
        self._sources = FairSemaphore(self.pool.processes + _READ_AHEAD)

    def state(self, uid: str, basis: object = None) -> ResolutionState:
        """Return the state of a WorkPlan's resolution; it is dropped if it has another basis."""
        if self._bases.get(uid, basis) != basis:
            self.forget(uid)
        return self._states.get(uid, Unresolved())

    def start(
        self,
        uid: str,
        namespace: str,
        priority: int,
        make_request: MakeRequest,
        on_done: Callable[[], None],
        basis: object = None,
    ) -> None:
        """Start to resolve a plan, unless that is under way; `on_done` is called at the end.

        Namespaces get equal shares of the time; the priority counts among the plans of one. `basis`
        is what the result depends on.
        """
        if uid in self._tasks:
            return
        self._bases[uid] = basis
        last = self._states.get(uid)
        self._states[uid] = Resolving(last if isinstance(last, Blocked) else None)
        task = asyncio.create_task(self._run(uid, _Place(namespace, priority), make_request))
        self._tasks[uid] = task

        def finish(ended: asyncio.Task[None]) -> None:
            if self._tasks.get(uid) is ended:
                del self._tasks[uid]
                on_done()

        task.add_done_callback(finish)

    def forget(self, uid: str) -> None:
        """Drop the state of a WorkPlan, and cancel its resolution."""
        self._states.pop(uid, None)
        self._bases.pop(uid, None)
        self._failures.pop(uid, None)
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Kill the processes and cancel everything."""
        self.pool.close()
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def backlog(self) -> int:
        """Number of plans that wait for a process."""
        return self._sources.waiting + self._processes.waiting + self._large.waiting

    def is_crowded(self, namespace: str) -> bool:
        """Whether many plans wait for a process, and of a namespace no fewer than on average.

        The few plans of one namespace among many of another get their turns at once.
        """
        if self.backlog <= _CROWD:
            return False
        waiting = Counter[str]()
        for each in (self._sources, self._processes, self._large):
            waiting.update(each.waiting_by_group())
        del waiting[_LARGE_PLANS]
        return waiting[namespace] * len(waiting) >= waiting.total()

    async def _run(self, uid: str, place: _Place, make_request: MakeRequest) -> None:
        result: ResolveResult | None
        try:
            result = await self._resolve(place, make_request)
        except (StoreAccessDenied, StoreUnreachable) as error:
            # There are no credentials to look the results up with.
            result = TransientFailure(error.failure_reason, str(error))
        except Exception:  # noqa: BLE001 - reported to the user, and retried
            _log.exception("resolving the plan of WorkPlan %s failed", uid)
            result = TransientFailure(
                constants.REASON_SOURCE_UNAVAILABLE,
                "The plan could not be resolved because of an internal error; see the operator's"
                " log.",
            )
        self._states[uid] = self._next_state(uid, result)

    async def _resolve(self, place: _Place, make_request: MakeRequest) -> ResolveResult:
        """Resolve a plan, with one slice of time after the other until it has enough."""
        found = await self._resolve_small(place, make_request)
        while isinstance(found, _Larger):
            found = await self._resolve_large(place, make_request, found.attempt)
        return found

    async def _resolve_small(
        self, place: _Place, make_request: MakeRequest
    ) -> ResolveResult | _Larger:
        """Wait for a process and resolve the plan in it, if it may be small."""
        async with self._sources.acquire(*place):
            request = await make_request()
            if not isinstance(request, ResolveRequest):
                return request
            first = _first_attempt(request)
            if first > 0:
                return _Larger(first)
            async with self._processes.acquire(*place, _expected(0)) as admission:
                return await self._attempt(request, 0, admission)

    async def _resolve_large(
        self, place: _Place, make_request: MakeRequest, attempt: int
    ) -> ResolveResult | _Larger:
        """Resolve a plan that needs much memory or time; one at a time."""
        async with self._large.acquire(*place, _expected(attempt)) as turn:
            # Read again: it was not kept while it waited.
            request = await make_request()
            if not isinstance(request, ResolveRequest):
                return request
            async with self._processes.acquire(_LARGE_PLANS, 0, _expected(0)) as admission:
                found = await self._attempt(request, attempt, admission)
            turn.cost = admission.cost
            return found

    async def _attempt(
        self, request: ResolveRequest, attempt: int, admission: Admission
    ) -> ResolveResult | _Larger:
        began = time.monotonic()
        try:
            found = await self.pool.resolve(request, attempt)
        finally:
            admission.cost = time.monotonic() - began
        return _Larger(attempt + 1) if found is None else found

    def _next_state(self, uid: str, result: ResolveResult) -> Blocked | Invalid | Resolved:
        if not isinstance(result, TransientFailure):
            self._failures.pop(uid, None)
            return result
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        full = result.reason == constants.REASON_STORE_FULL
        backoff = self.full_backoff if full else self.backoff
        seconds = backoff.delay(failures, lambda: 0.0)
        return Blocked(result.reason, result.message, self.now() + timedelta(seconds=seconds))


def _first_attempt(request: ResolveRequest) -> int:
    """Return the attempt that is long enough for the document; what it says may take more."""
    size = len(request.document.data) if request.document is not None else 0
    for number, given in enumerate(SLICES):
        if given.cpu is not None and size * CPU_PER_BYTE <= given.cpu:
            return number
    return len(SLICES) - 1


def _expected(attempt: int) -> float:
    """Return the seconds that an attempt counts for until it is known what it took."""
    given = SLICES[attempt]
    return given.wall if given.cpu is None else given.cpu
