"""What one computing process shares between tasks: stores, ways to report, threads of libraries."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from voxk8s.execution.inline_values import value_bytes
from voxk8s.execution.outcome import Report, encode_batch
from voxk8s.execution.retry import RetryPolicy
from voxk8s.inputs.options import InputOptions
from voxk8s.storage import ResultStore
from voxk8s.values import Image, SavedFile

if TYPE_CHECKING:
    from distributed import Worker

TOPIC = "voxk8s"
"""Topic of the scheduler's events that carries reports from workers to drivers."""

LONG_PAUSE_SECONDS = 0.5

ReportHandler: TypeAlias = Callable[[str, Iterable[Report]], None]
"""Takes the reports of the run that it is told."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What every task of a run is told; small, since each task carries it.

    `store` travels with the task and is opened once per process, by its `token`; the driver's own
    process uses the driver's store itself. `resolved` is when the store was last asked what it
    holds (seconds since the epoch). `lease_seconds` is how long a dead run holds others up; 0 for a
    run that nobody waits for. `owner` has the leases that this run takes, the same in all attempts
    of a WorkPlan; `label` is what others call it.
    """

    id: str
    store_token: str
    store: ResultStore | None
    reads: bool
    writes: bool
    replaces: bool
    store_policy: str
    retry: RetryPolicy
    looked_up_at: float
    run_folder: str | None = None
    lease_seconds: float = 0.0
    lease_owner: str = ""
    label: str = ""

    def __reduce__(self) -> tuple[object, ...]:
        return (_context, tuple(getattr(self, name) for name in self.__slots__))


def _context(*fields: object) -> RunSpec:
    """Make a context in another process, where a store that is open already is taken instead."""
    return RunSpec(*fields)  # type: ignore[arg-type]  # what __reduce__ above has written


@dataclass(slots=True)
class _Shared:
    lock: threading.Lock = field(default_factory=threading.Lock)
    stores: dict[str, ResultStore] = field(default_factory=dict)
    """Opened here for tasks of drivers elsewhere."""
    given: weakref.WeakValueDictionary[str, ResultStore] = field(
        default_factory=weakref.WeakValueDictionary
    )
    """Those of drivers in this process, as long as these hold them."""
    inputs: dict[str, InputOptions] = field(default_factory=dict)
    inboxes: dict[str, ReportHandler] = field(default_factory=dict)
    cancelled: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    """The last runs that were cancelled: their operations may still be at work afterwards."""
    prepared: bool = False


_shared = _Shared()


def subscribe(run: str, inbox: ReportHandler) -> None:
    """Have reports of tasks in this process delivered to the inbox of `run`.

    Those of other runs too: where two runs need the same operation, one of them computes it.
    """
    with _shared.lock:
        _shared.inboxes[run] = inbox


def forget_run(run: str) -> None:
    """Forget a run that is over."""
    with _shared.lock:
        _shared.inboxes.pop(run, None)
        _shared.inputs.pop(run, None)


def cancel_run(run: str) -> None:
    """Let tasks of `run` in this process stop before their next operation."""
    _shared.cancelled.append(run)


def is_cancelled(run: str) -> bool:
    """Say whether `run` was cancelled in this process."""
    return run in _shared.cancelled


def register_store(token: str, store: ResultStore) -> None:
    """Let tasks in this process use this very store."""
    with _shared.lock:
        _shared.given[token] = store


def store_of(context: RunSpec) -> ResultStore | None:
    """Return the process's one handle to the run's store."""
    store = _shared.given.get(context.store_token) or _shared.stores.get(context.store_token)
    if store is None and context.store is not None:
        with _shared.lock:
            store = _shared.stores.setdefault(context.store_token, context.store)
    return store


def register_input_options(run: str, options: InputOptions) -> None:
    """Let tasks of `run` in this process read inputs with these options."""
    with _shared.lock:
        _shared.inputs[run] = options


def input_options(run: str) -> InputOptions:
    """Return how inputs are read: as the driver of this process said, else by the environment."""
    options = _shared.inputs.get(run)
    if options is None:
        options = InputOptions.from_env(os.environ)
        with _shared.lock:
            options = _shared.inputs.setdefault(run, options)
    return options


def send_reports(run: str, reports: list[Report]) -> None:
    """Tell the drivers: directly where the run's is in this process, else by Dask's events."""
    if not reports:
        return
    if run in _shared.inboxes:
        for inbox in list(_shared.inboxes.values()):
            inbox(run, reports)
        return
    worker = _worker()
    if worker is not None:
        worker.log_event(TOPIC, encode_batch(run, reports))


def worker_name() -> str:
    """Name of the Dask worker that runs this thread's task; empty outside of Dask."""
    worker = _worker()
    return "" if worker is None else str(worker.name)


def sleep(seconds: float) -> None:
    """Wait inside a task; a long wait gives the worker's thread to other tasks meanwhile."""
    if seconds < LONG_PAUSE_SECONDS:
        time.sleep(seconds)
        return
    with seceded():
        time.sleep(seconds)


@contextmanager
def seceded() -> Iterator[None]:
    """Give the worker's thread to other tasks while this one waits; ends when there is room."""
    if _worker() is None:
        yield
        return
    from distributed import rejoin, secede

    secede()
    try:
        yield
    finally:
        rejoin()


def prepare_process() -> None:
    """Pin the threads of libraries, once per process: a worker's threads are the parallelism."""
    if _shared.prepared:
        return
    _shared.prepared = True
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
    itk = sys.modules.get("SimpleITK")
    if itk is not None:
        itk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    dask_sizes = sys.modules.get("dask.sizeof")
    if dask_sizes is not None:
        # Dask must know how much its workers hold, to spill and to place tasks by it.
        for kind in (Image, SavedFile):
            dask_sizes.sizeof.register(kind, value_bytes)


def _worker() -> Worker | None:
    module = sys.modules.get("distributed.worker")
    if module is None:
        return None
    try:
        worker: Worker = module.get_worker()
    except ValueError:
        return None
    return worker
