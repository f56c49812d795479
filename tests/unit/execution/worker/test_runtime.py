"""The state of a process that its tasks share."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from uuid import uuid4

import numpy as np
import pytest
from dask.utils import Dispatch
from distributed import Client

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution.operation_reports import Report, Status, decode_batch
from voxk8s.execution.worker import runtime
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.storage import open_store
from voxk8s.values import Image, PackedMask, SavedFile

REPORTS = [Report("a" * 64, Status.COMPUTED)]


@pytest.fixture
def run() -> Iterator[str]:
    """The id of a run, forgotten afterwards."""
    name = uuid4().hex
    yield name
    runtime.forget_run(name)


@pytest.fixture
def client() -> Iterator[Client]:
    """A Dask client with one worker thread in this process."""
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        yield client


def test_reports_go_to_all_handlers_of_the_process(run: str) -> None:
    """Another run of this process may need the same operation."""
    mine: list[str] = []
    theirs: list[str] = []
    other = uuid4().hex
    runtime.subscribe(run, lambda sender, _: mine.append(sender))
    runtime.subscribe(other, lambda sender, _: theirs.append(sender))
    runtime.send_reports(run, REPORTS)
    runtime.forget_run(other)
    runtime.send_reports(run, REPORTS)
    assert (mine, theirs) == ([run, run], [run])


def test_no_message_is_sent_without_reports(run: str) -> None:
    """An empty list does not reach the handlers."""
    received: list[str] = []
    runtime.subscribe(run, lambda sender, _: received.append(sender))
    runtime.send_reports(run, [])
    assert received == []


def test_reports_of_other_drivers_are_events_of_dask(run: str, client: Client) -> None:
    """A run without a handler in this process gets its reports through the scheduler."""
    client.submit(runtime.send_reports, run, REPORTS).result()
    [(_, event)] = client.get_events(runtime.TOPIC)
    assert decode_batch(event).reports == tuple(REPORTS)


def test_a_registered_store_is_used_while_its_driver_holds_it() -> None:
    """Tasks in the driver's process use its store; afterwards there is none."""
    token, store = uuid4().hex, fresh_store()
    runtime.register_store(token, store)
    assert runtime.shared_store(token, fresh_store()) is store
    del store
    gc.collect()
    assert runtime.shared_store(token, None) is None


def test_a_store_is_opened_once_per_process() -> None:
    """The first task brings the store that the next ones use."""
    token, first = uuid4().hex, fresh_store()
    assert runtime.shared_store(token, first) is first
    assert runtime.shared_store(token, fresh_store()) is first


def test_few_stores_stay_open(run: str) -> None:
    """A process that works for many drivers keeps the stores that were used last."""
    first, tokens = fresh_store(), [f"{run}-{number}" for number in range(runtime.MAX_STORES)]
    runtime.shared_store(run, first)
    for token in tokens[1:]:
        runtime.shared_store(token, fresh_store())
        assert runtime.shared_store(run, None) is first
    runtime.shared_store(tokens[0], fresh_store())
    assert runtime.shared_store(run, None) is first
    assert runtime.shared_store(tokens[1], None) is None


def test_input_options_of_other_drivers_are_not_kept(run: str) -> None:
    """A process that works for many runs does not grow."""
    before = len(runtime._shared.inputs)
    for number in range(10):
        runtime.input_options(f"{run}-{number}")
    assert len(runtime._shared.inputs) == before


def test_input_options_default_to_the_environment(run: str) -> None:
    """Registered options come first, until the run is forgotten."""
    default = runtime.input_options(run)
    options = InputOptions.from_env({})
    runtime.register_input_options(run, options)
    assert runtime.input_options(run) is options
    runtime.forget_run(run)
    assert runtime.input_options(run) == default


def test_a_run_can_be_cancelled(run: str) -> None:
    """Only the runs that were cancelled are."""
    assert not runtime.is_cancelled(run)
    runtime.cancel_run(run)
    assert runtime.is_cancelled(run)


def test_a_seceded_task_frees_its_thread(client: Client) -> None:
    """Another task runs on the only thread while the first one waits for it."""
    _other_ran.clear()
    first = client.submit(_wait_for_the_other)
    second = client.submit(_end_the_wait)
    assert second.result(30) is None
    assert first.result(30) is True


_other_ran = threading.Event()


def _end_the_wait() -> None:
    _other_ran.set()


def _wait_for_the_other() -> bool:
    with runtime.seceded():
        return _other_ran.wait(20)


def test_outside_of_dask_there_is_no_worker() -> None:
    """The worker has no name, and nothing secedes."""
    assert runtime.worker_name() == ""
    with runtime.seceded():
        assert runtime.worker_name() == ""


def test_a_module_that_another_thread_is_importing_has_no_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dask is imported while a task runs: its module is listed before it has any names."""
    monkeypatch.setitem(sys.modules, "distributed.worker", ModuleType("distributed.worker"))
    assert runtime.worker_name() == ""


def test_dask_learns_the_sizes_of_values_when_it_is_imported_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process may first run tasks on its own threads, and then on Dask."""
    monkeypatch.setattr(runtime, "_shared", runtime._ProcessState())
    monkeypatch.setitem(sys.modules, "dask.sizeof", ModuleType("dask.sizeof"))
    runtime.prepare_process()
    late = ModuleType("dask.sizeof")
    late.__dict__["sizeof"] = sizes = Dispatch("sizeof")  # type: ignore[no-untyped-call]
    monkeypatch.setitem(sys.modules, "dask.sizeof", late)
    runtime.prepare_process()
    assert sizes(SavedFile(b"1234567", ".txt", "text/plain")) >= 7
    geometry = (1.0,) * 3, (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    mask = PackedMask(BitVolume.pack(np.ones((4, 4, 64), np.uint8)), *geometry)
    assert sizes(mask) == 4 * 4 * 64 / 8
    assert sizes(Image(mask.array, *geometry)) == 4 * 4 * 64
    assert sizes(mask) == 4 * 4 * 64 / 8 + 4 * 4 * 64


@pytest.mark.parametrize(("before", "after"), [(0.005, runtime.SWITCH_SECONDS), (1e-5, 1e-5)])
def test_threads_wait_less_for_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, before: float, after: float
) -> None:
    """A process that wants to wait even less keeps what it has set."""
    monkeypatch.setattr(runtime, "_shared", runtime._ProcessState())
    found = sys.getswitchinterval()
    try:
        sys.setswitchinterval(before)
        runtime.prepare_process()
        assert sys.getswitchinterval() == pytest.approx(after)
    finally:
        sys.setswitchinterval(found)


class _Task:
    """A task of the executor `threads`."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def secede(self) -> bool:
        """Allow it."""
        self.calls.append("secede")
        return True

    def rejoin(self) -> None:
        """Go on."""
        self.calls.append("rejoin")

    def is_cancelled(self) -> bool:
        """Return that it is not."""
        return False


@pytest.fixture
def task() -> Iterator[_Task]:
    """A task that runs in this thread."""
    task = _Task()
    runtime.set_task_thread(task)
    yield task
    runtime.set_task_thread(None)


def test_a_shared_task_outlives_the_run_that_started_it(run: str, task: _Task) -> None:
    """It is not cancelled with its run, and other runs get its reports when that run has ended."""
    received: list[str] = []
    runtime.subscribe(run, lambda sender, _: received.append(sender))
    runtime.cancel_run("ended")
    assert not runtime.is_cancelled("ended")
    runtime.send_reports("ended", REPORTS)
    assert received == ["ended"]


def test_a_task_secedes_while_it_sleeps_long(task: _Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short sleep keeps the thread; after a long one the task waits for a place."""
    runtime.sleep(0.0)
    assert task.calls == []
    monkeypatch.setattr(runtime, "MIN_SECEDE_SECONDS", 0.0)
    runtime.sleep(0.0)
    assert task.calls == ["secede", "rejoin"]


def test_events_have_what_happened_at_the_store(run: str, client: Client) -> None:
    """Also without a report, and once; without news there is no event."""
    before = len(client.get_events(runtime.TOPIC))
    client.submit(_send_twice, run, fresh_store().url).result()
    [(_, event)] = client.get_events(runtime.TOPIC)[before:]
    batch = decode_batch(event)
    assert batch.reports == ()
    assert batch.counts is not None
    assert batch.counts.misses == 1


def test_a_driver_of_this_process_takes_the_counts_itself(run: str) -> None:
    """It has the store of its tasks."""
    store = fresh_store()
    store.get("0" * 64)
    runtime.subscribe(run, lambda _, __: None)
    runtime.send_reports(run, REPORTS, store)
    counts = store.take_counts()
    assert counts is not None
    assert counts.misses == 1


def _send_twice(run: str, url: str) -> None:
    store = open_store(url)
    store.get("0" * 64)
    runtime.send_reports(run, [], store)
    runtime.send_reports(run, [], store)
