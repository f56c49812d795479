"""Threads that run jobs: order, limit, and jobs that give their place away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.support.waiting import wait_until
from voxk8s.execution.executors import worker_threads
from voxk8s.execution.executors.worker_threads import WorkerThreads


class Call:
    """A job that calls a function."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self.dropped = False
        self.ended = threading.Event()

    def run(self) -> None:
        """Call the function."""
        self._function()
        self.ended.set()


class Gate:
    """A function that waits until the gate is opened; counts how many wait."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self) -> None:
        """Wait."""
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self._opened.wait(30)
        with self._lock:
            self.inside -= 1

    def open(self) -> None:
        """Let all go on."""
        self._opened.set()


def start(threads: WorkerThreads, *jobs: Call, rank: float = 0.0) -> list[Call]:
    """Queue jobs, all of one rank."""
    with threads.lock:
        for job in jobs:
            threads.add(job, rank)
        threads.start_ready()
    return list(jobs)


def finish(jobs: list[Call]) -> None:
    """Wait for the end of jobs."""
    for job in jobs:
        assert job.ended.wait(30)


def test_jobs_run_in_the_order_of_their_ranks() -> None:
    """One thread takes the smallest rank first, and of equal ones the first that was queued."""
    threads, gate, order = WorkerThreads(1), Gate(), list[int]()
    jobs = start(threads, Call(gate))
    wait_until(lambda: gate.inside == 1)
    for number, rank in enumerate([3.0, 1.0, 2.0, 1.0]):
        jobs += start(threads, Call(lambda number=number: order.append(number)), rank=rank)  # type: ignore[misc]
    gate.open()
    finish(jobs)
    assert order == [1, 3, 2, 0]


def test_at_most_the_limit_runs_at_once() -> None:
    """The other jobs wait; a higher limit starts more of them."""
    threads, gate = WorkerThreads(2), Gate()
    jobs = start(threads, *(Call(gate) for _ in range(8)))
    wait_until(lambda: gate.inside == 2)
    threads.resize(3)
    wait_until(lambda: gate.inside == 3)
    gate.open()
    finish(jobs)
    assert gate.most == 3


def test_a_lower_limit_is_kept_by_threads_that_run() -> None:
    """When they end, fewer of them take the next job."""
    threads, gate, later = WorkerThreads(3), Gate(), Gate()
    jobs = start(threads, *(Call(gate) for _ in range(3)))
    wait_until(lambda: gate.inside == 3)
    threads.resize(1)
    jobs += start(threads, *(Call(later) for _ in range(3)))
    gate.open()
    wait_until(lambda: later.inside == 1 and gate.inside == 0)
    later.open()
    finish(jobs)
    assert later.most == 1


def test_no_more_threads_start_than_there_are_jobs() -> None:
    """One job after the other needs one thread."""
    threads = WorkerThreads(4)
    names = set()
    for _ in range(50):
        finish(start(threads, Call(lambda: names.add(threading.current_thread().name))))
        wait_until(lambda: threads._active == 0)
    assert len(names) == 1


def test_dropped_jobs_do_not_run() -> None:
    """A job that was dropped while it waited is passed over."""
    threads, gate, ran = WorkerThreads(1), Gate(), list[str]()
    jobs = start(threads, Call(gate))
    [dropped] = start(threads, Call(lambda: ran.append("dropped")))
    jobs += start(threads, Call(lambda: ran.append("kept")))
    dropped.dropped = True
    gate.open()
    finish(jobs)
    assert ran == ["kept"]


def test_a_job_that_secedes_is_replaced() -> None:
    """Another job runs meanwhile; the first goes on before those that are queued."""
    threads, order = WorkerThreads(1), list[str]()
    seceded, other = threading.Event(), Gate()

    def wait() -> None:
        assert threads.secede()
        seceded.set()
        wait_until(lambda: other.inside == 1)
        waiting.set()
        threads.rejoin()
        order.append("first")

    waiting = threading.Event()
    jobs = start(threads, Call(wait))
    assert seceded.wait(30)
    jobs += start(threads, Call(other))
    jobs += start(threads, Call(lambda: order.append("queued")))
    assert waiting.wait(30)
    wait_until(lambda: len(threads._rejoining) == 1)
    other.open()
    finish(jobs)
    assert order == ["first", "queued"]


def test_few_jobs_secede_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number a job keeps its place: each that secedes has a thread."""
    monkeypatch.setattr(worker_threads, "MAX_SECEDED", 1)
    threads = WorkerThreads(1)
    assert threads.secede()
    assert not threads.secede()


def test_threads_that_are_not_needed_end() -> None:
    """Jobs that have seceded leave no more threads behind than the limit."""
    threads, gate = WorkerThreads(1), Gate()

    def wait() -> None:
        threads.secede()
        gate()
        threads.rejoin()

    jobs = start(threads, *(Call(wait) for _ in range(5)))
    wait_until(lambda: gate.inside == 5)
    gate.open()
    finish(jobs)
    wait_until(lambda: (threads._active, threads._idle) == (0, 1))


def test_a_forked_process_begins_anew() -> None:
    """The jobs of its parent are not there, and the first job has a thread."""
    threads, gate = WorkerThreads(1), Gate()
    jobs = start(threads, Call(gate), Call(gate))
    wait_until(lambda: gate.inside == 1)
    threads.reset_after_fork()
    assert threads.generation == 1
    finish(start(threads, Call(lambda: None)))
    gate.open()
    finish(jobs[:1])
    assert not jobs[1].ended.is_set()
