"""Processes that resolve plans: with bounded memory and time, warmed up, replaced when they die.

Not one `ProcessPoolExecutor` of several processes: when one of them dies it fails the tasks of all,
and a running task cannot be cancelled. Here each process is an executor of its own.

How much a plan takes is known only when it is resolved: a program of a few bytes may expand to
hundreds of thousands of operations. So each begins with a short time slice. One that needs more
begins again with a longer one, and those that need little never wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve.confinement import hide_secrets
from voxk8s.controller.resolve.resolution_state import Invalid, Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.inputs.filesystems import preload_s3
from voxk8s.kernels import registry
from voxk8s.memory import data_bytes
from voxk8s.plan.expansion_limit import set_expansion_limit
from voxk8s.storage import StoreOptions, TrustDomains

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slice:
    """What a plan may take of a process: seconds of processor time, or any, and of all time."""

    cpu: float | None
    wall: float


SLICES: Final[Sequence[Slice]] = (
    Slice(0.3, 10.0),
    Slice(2.0, 20.0),
    Slice(16.0, 80.0),
    Slice(None, 300.0),
)
"""Attempts at a plan, one after the other; what the others did is lost.

Thousands of operations fit into the first one; 50,000 take about five seconds of processor time.
Time that passes without the processor counts for stores that do not answer.
"""
CPU_PER_BYTE: Final = 0.5e-6
"""Seconds of processor time that a byte of a plan document takes; more by what it says there."""
WARM_UP_TIMEOUT = 15.0
"""Seconds after which `ProcessPool.warm_up` returns, ready or not."""
LEAST_FREE = 96 * 1024 * 1024
"""Bytes that a process may take beyond its imports, however small its share of the memory.

A thread that has no memory to begin with is waited for without an end, and with it the process.
"""
_ATTEMPTS = 2
_FULL: Final = 0.95
"""The part of its memory from which on an error of a process counts as one of memory."""
_STACK_BYTES = 1024 * 1024
_MISSING_INPUT = "runs/rehearsal.json"
"""A path at which no store has an object."""


@dataclass(slots=True)
class ProcessPool:
    """Processes of at most `memory` bytes together; the caller limits how many run at once.

    The memory has a share for each process and one more: a large plan, one at a time, gets two.
    Each process resolves `warm_up_request` before anything else. `executor` creates the stand-in
    for a process in tests.
    """

    processes: int
    memory: int
    warm_up_request: ResolveRequest | None = None
    executor: Callable[[], Executor] | None = None
    _idle: list[Executor] = field(default_factory=list)
    _busy: set[Executor] = field(default_factory=set)
    _scratch: str = ""
    """The folder for temporary files of all processes."""
    _closed: bool = False

    async def warm_up(self) -> None:
        """Start the processes and wait until they are warm, or until the timeout."""
        self._idle += [self._start() for _ in range(self.processes)]
        loop = asyncio.get_running_loop()
        # A process runs its tasks in order: this one ends after the warm-up.
        ready = [loop.run_in_executor(process, warm_up, None) for process in self._idle]
        with suppress(TimeoutError):
            async with asyncio.timeout(WARM_UP_TIMEOUT):
                await asyncio.gather(*ready, return_exceptions=True)

    @property
    def share(self) -> int:
        """Bytes of memory of one process."""
        return self.memory // (self.processes + 1)

    async def resolve(self, request: ResolveRequest, attempt: int = 0) -> ResolveResult | None:
        """Resolve a plan within SLICES[attempt]; None if it takes more time, or memory.

        The first slice is that of an idle or new process, from the second on plans have a process
        of their own with two shares of memory. A process that is not idle at the end is replaced.
        Where one dies in the last slice, the plan gets it once more. What takes still more time is
        left to the runner; what takes still more memory is invalid.
        """
        last = attempt == len(SLICES) - 1
        for _ in range(_ATTEMPTS if last else 1):
            try:
                result = await self._resolve_once(request, attempt)
            except BrokenProcessPool:
                # Or it was killed since its slice is over.
                _log.info("a process ended while it resolved %s", request.run_folder)
                continue
            except TimeoutError:
                _log.warning("the look-up of %s took too long", request.run_folder)
                # The store may be slow, not the plan large: the runner looks up without a limit.
                return Resolved(store_checked=False) if last else None
            return _too_large() if result is None and attempt else result
        return _too_large() if last else None

    async def _resolve_once(self, request: ResolveRequest, attempt: int) -> ResolveResult | None:
        given, large = SLICES[attempt], attempt > 0
        process = self._take(large)
        reusable = False
        try:
            loop = asyncio.get_running_loop()
            task = loop.run_in_executor(process, resolve_within, request, given.cpu)
            async with asyncio.timeout(given.wall):
                result = await task
            reusable = not large and result is not None
        finally:
            if reusable:
                self._return(process)
            else:
                self._replace(process)  # its memory does not all come back
        return result

    def _take(self, large: bool) -> Executor:
        """Return an idle or new process; for a large plan, a new one in the place of two."""
        process = self._idle.pop() if self._idle else None
        if large:
            if process is not None:
                _kill(process)
            process = self._start(2)
        elif process is None:
            process = self._start()
        self._busy.add(process)
        return process

    def close(self) -> None:
        """Kill all processes, and delete their folder for temporary files."""
        self._closed = True
        for process in (*self._idle, *self._busy):
            _kill(process)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _start(self, shares: int = 1) -> Executor:
        process = self.executor() if self.executor else self._start_process(shares)
        process.submit(warm_up, self.warm_up_request)
        return process

    def _start_process(self, shares: int = 1) -> Executor:
        # A process that is forked from this one would inherit threads and sockets of the event
        # loop. One that is spawned takes seconds to import what is needed; the fork server has it.
        if not self._scratch:
            self._scratch = tempfile.mkdtemp(prefix="voxk8s-lookups-")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, "voxk8s.controller.resolve.preloaded"])
        return ProcessPoolExecutor(
            1,
            mp_context=context,
            initializer=initialize_process,
            initargs=(shares * self.share, 2 * self.share, self._scratch),
        )

    def _return(self, process: Executor) -> None:
        self._busy.discard(process)
        self._idle.append(process)

    def _replace(self, process: Executor) -> None:
        """Kill a process and start another one in its place."""
        self._busy.discard(process)
        _kill(process)
        if not self._closed:
            self._idle.append(self._start())


def _too_large() -> Invalid:
    return Invalid(
        constants.REASON_PLAN_TOO_LARGE,
        "Resolving the plan takes more memory than the operator allows. Make the plan"
        " smaller, or express repetition as loops.",
    )


def _kill(process: Executor) -> None:
    if isinstance(process, ProcessPoolExecutor):
        for child in list((process._processes or {}).values()):
            child.kill()
    process.shutdown(wait=False, cancel_futures=True)


def initialize_process(memory: int, most: int, scratch: str) -> None:
    """Import what resolution needs, and limit what this process may use and read.

    It has `memory` bytes, but at least LEAST_FREE beyond what the imports took; `most` is what a
    process for a large plan has. `scratch` is the folder for temporary files.
    """
    # Thread stacks count against RLIMIT_DATA; the default of 8 MiB each is not needed here.
    threading.stack_size(_STACK_BYTES)
    set_expansion_limit(most)
    registry()
    preload_s3()
    memory = max(memory, data_bytes() + LEAST_FREE)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
    if not hide_secrets(scratch):
        _log.warning("this kernel has no Landlock: processes that resolve plans can read all files")
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when the one that started the pool ends, however it ends.

    It would wait for its next task without an end: both ends of the queue are open here.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def resolve_within(request: ResolveRequest, seconds: float | None) -> ResolveResult | None:
    """Resolve a plan; a process that takes more seconds of processor time for it is killed.

    By the kernel, in whatever it is then: it holds nothing that others need.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds or 0.0)
    try:
        return resolve_plan(request)
    except Exception:
        if _is_full():
            return None  # libraries have errors of their own for it, hashes a ValueError
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _is_full() -> bool:
    """Whether this process has hardly any memory left of what it may use."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return limit != resource.RLIM_INFINITY and data_bytes() > _FULL * limit


def warm_up(request: ResolveRequest | None) -> None:
    """Resolve a plan for its side effects: connections, TLS contexts and lazy imports."""
    if request is None:
        return
    try:
        resolve_plan(request)
    except Exception:  # noqa: BLE001 - the first user's plan reports the same error
        _log.info("the warm-up of a process failed", exc_info=True)


def warm_up_request(url: str, options: StoreOptions, domains: TrustDomains) -> ResolveRequest:
    """Return a request that asks the store for a result, and for an input that does not exist."""
    nodes = [
        {"id": "url", "type": "constant", "value": f"{url.rstrip('/')}/{_MISSING_INPUT}"},
        {"id": "input", "type": "operation", "operator": "load", "arguments": {"0": "url"}},
    ]
    goals = [{"operation": "print", "id": "input", "name": "input"}]
    return ResolveRequest(
        document=Document(msgspec.json.encode({"nodes": nodes, "goals": goals}), "json"),
        url=None,
        digest=None,
        parameters=None,
        cache="Use",
        output_url=None,
        store_url=url,
        options=options,
        domains=domains,
        prefixes=(url,),
    )
