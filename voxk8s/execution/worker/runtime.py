"""The state of a worker process that its tasks share: stores, report handlers, library threads."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from voxk8s.execution.inline_values import value_bytes
from voxk8s.execution.operation_reports import Report, encode_batch
from voxk8s.inputs.input_options import InputOptions
from voxk8s.storage import ResultStore
from voxk8s.values import Image, PackedMask, SavedFile

if TYPE_CHECKING:
    from distributed import Worker

TOPIC = "voxk8s"
"""The Dask event topic on which workers send reports to drivers."""

MIN_SECEDE_SECONDS = 0.5
"""A task that sleeps for less than this keeps its thread."""

SWITCH_SECONDS: Final = 0.0005
"""How long a thread waits for the interpreter before it interrupts the one that has it; Python's
own value is ten times that.

A kernel calls compiled code a few times in each millisecond, and needs the interpreter after each
call. While another thread runs Python, as the driver does, each of these calls would end with a
wait of 5 ms: two threads waited for 6 % of a sweep, and wait for 3 % so.
"""

MAX_STORES: Final = 16
"""How many stores of drivers in other processes are kept open; those used last."""

ReportHandler: TypeAlias = Callable[[str, Iterable[Report]], None]
"""Called with the id of a run and reports of its tasks."""


@dataclass(slots=True)
class _ProcessState:
    lock: threading.Lock = field(default_factory=threading.Lock)
    stores: OrderedDict[str, ResultStore] = field(default_factory=OrderedDict)
    """Opened in this process for tasks of drivers in other processes; the last one used last."""
    registered: weakref.WeakValueDictionary[str, ResultStore] = field(
        default_factory=weakref.WeakValueDictionary
    )
    """Those of drivers in this process, while the drivers hold them."""
    inputs: dict[str, InputOptions] = field(default_factory=dict)
    """Input options of runs whose drivers are in this process."""
    report_handlers: dict[str, ReportHandler] = field(default_factory=dict)
    cancelled: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    """The runs cancelled last, some of whose tasks may still be running."""
    prepared: bool = False
    dask_taught: bool = False


_shared: Final = _ProcessState()


class TaskThread(Protocol):
    """What a thread of the executor `threads` is to the task that it runs."""

    def secede(self) -> bool:
        """Let another task run while this one waits; returns whether one may."""

    def rejoin(self) -> None:
        """Wait until this task may continue."""

    def is_cancelled(self) -> bool:
        """Whether no run needs the task any more."""


class _Thread(threading.local):
    task: TaskThread | None = None


_thread: Final = _Thread()


def set_task_thread(task: TaskThread | None) -> None:
    """Record that the calling thread runs a task outside of Dask, until it is set to None."""
    _thread.task = task


def subscribe(run: str, handler: ReportHandler) -> None:
    """Call `handler` with the reports of tasks in this process until `forget_run`.

    It gets the reports of other runs too: when two runs need the same operation, one computes it.
    """
    with _shared.lock:
        _shared.report_handlers[run] = handler


def forget_run(run: str) -> None:
    """Remove the report handler and the input options of a run that has ended."""
    with _shared.lock:
        _shared.report_handlers.pop(run, None)
        _shared.inputs.pop(run, None)


def cancel_run(run: str) -> None:
    """Make the tasks of a run in this process stop before their next operation."""
    _shared.cancelled.append(run)


def is_cancelled(run: str) -> bool:
    """Whether the task of a run in the calling thread is to stop.

    On Dask, when the run was cancelled in this process; elsewhere, when no other run needs it too.
    """
    task = _thread.task
    return run in _shared.cancelled if task is None else task.is_cancelled()


def register_store(token: str, store: ResultStore) -> None:
    """Make tasks in this process use the given store object; it is held by a weak reference."""
    with _shared.lock:
        _shared.registered[token] = store


def shared_store(token: str, store: ResultStore | None) -> ResultStore | None:
    """Return the store with this token in this process, at first use the given one."""
    found = _shared.registered.get(token)
    if found is not None:
        return found
    stores = _shared.stores
    with _shared.lock:
        found = stores.get(token)
        if found is None:
            if store is None:
                return None
            found = stores[token] = store
            if len(stores) > MAX_STORES:
                stores.popitem(last=False)
        stores.move_to_end(token)
    return found


def register_input_options(run: str, options: InputOptions) -> None:
    """Make tasks of a run in this process read inputs with the given options."""
    with _shared.lock:
        _shared.inputs[run] = options


def input_options(run: str) -> InputOptions:
    """Return the input options of a run: the registered ones, else those of the environment."""
    options = _shared.inputs.get(run)
    return InputOptions.from_env(os.environ) if options is None else options


def send_reports(run: str, reports: list[Report], store: ResultStore | None = None) -> None:
    """Send reports to the drivers: to the handlers of this process, or as an event of Dask.

    An event also has what happened at the store; a driver in this process shares the store.
    """
    if run in _shared.report_handlers or _thread.task is not None:
        if reports:
            for handler in list(_shared.report_handlers.values()):
                handler(run, reports)
        return
    worker = _dask_worker()
    if worker is None:
        return
    counts = None if store is None else store.take_counts()
    if reports or counts is not None:
        worker.log_event(TOPIC, encode_batch(run, reports, counts))


def worker_name() -> str:
    """Return the name of the Dask worker that runs in this thread; empty in one of this process.

    Reports show work by worker, with a row for each operation at the same time: threads of one
    process need no names.
    """
    worker = _dask_worker()
    return "" if worker is None else str(worker.name)


def sleep(seconds: float) -> None:
    """Sleep inside a task; during a long sleep the worker's thread runs other tasks."""
    with seceded() if seconds >= MIN_SECEDE_SECONDS else nullcontext():
        time.sleep(seconds)


@contextmanager
def seceded() -> Iterator[None]:
    """Secede from the worker's thread pool in the body; rejoin when a thread is free."""
    task = _thread.task
    if task is not None:
        seceded = task.secede()
        try:
            yield
        finally:
            if seceded:
                task.rejoin()
        return
    if _dask_worker() is None:
        yield
        return
    from distributed import rejoin, secede

    secede()
    try:
        yield
    finally:
        rejoin()


def prepare_process() -> None:
    """Prepare this process for tasks: its threads, ITK's and what Dask knows of our values.

    A Dask worker runs one operation in each of its threads. Modules that another thread is
    importing at this moment may lack names.
    """
    if not _shared.prepared:
        _shared.prepared = True
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        # Also for an ITK that is imported later.
        os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
        itk = getattr(sys.modules.get("SimpleITK"), "ProcessObject", None)
        if itk is not None:
            itk.SetGlobalDefaultNumberOfThreads(1)
    if not _shared.dask_taught:
        # Dask spills and places tasks by the sizes of the values that its workers hold.
        sizeof = getattr(sys.modules.get("dask.sizeof"), "sizeof", None)
        if sizeof is not None:
            for kind in (Image, SavedFile):
                sizeof.register(kind, value_bytes)
            sizeof.register(PackedMask, attrgetter("held_bytes"))
            _shared.dask_taught = True


def _dask_worker() -> Worker | None:
    if _thread.task is not None:
        return None
    # A thread of a worker has the whole module; another one may be importing it.
    get_worker = getattr(sys.modules.get("distributed.worker"), "get_worker", None)
    if get_worker is None:
        return None
    try:
        worker: Worker = get_worker()
    except ValueError:
        return None
    return worker
