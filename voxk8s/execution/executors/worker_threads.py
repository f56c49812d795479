"""Threads of this process that run jobs, those of the lowest rank first.

At most `limit` jobs run at once. A job that waits for something else may secede: another job takes
its place meanwhile. Threads start when there is work for them, are daemons, and wait without
polling when there is none.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from typing import Final, Protocol

MAX_SECEDED: Final = 256
"""When so many jobs have seceded, the next one keeps its place while it waits."""


class Job(Protocol):
    """Something to run."""

    dropped: bool
    """Whether it is not to be run any more."""

    def run(self) -> None:
        """Run; raises nothing."""


class WorkerThreads:
    """The threads and the jobs that wait for one; methods that say so need the lock."""

    def __init__(self, limit: int = 1) -> None:
        """Run at most `limit` jobs at once."""
        self.limit = limit
        self.generation = 0
        """How often the process was forked; the threads of the process before are not there."""
        self._begin()

    def _begin(self) -> None:
        self.lock = threading.Lock()
        self._wake = threading.Condition(self.lock)
        self._ready: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._names = itertools.count(1)
        self._active = 0
        """Threads with a place: they run a job, or are about to take one."""
        self._coming = 0
        """Those of them that were woken or started and have not looked for a job yet."""
        self._idle = 0
        self._seceded = 0
        self._rejoining: deque[threading.Event] = deque()

    def reset_after_fork(self) -> None:
        """Begin with no threads and no jobs, in a forked process."""
        self.generation += 1
        self._begin()

    def resize(self, limit: int) -> None:
        """Run at most `limit` jobs at once from now on; those that run are not stopped."""
        with self.lock:
            self.limit = limit
            self.start_ready()

    def add(self, job: Job, rank: float) -> None:
        """Queue a job. The caller holds the lock."""
        heapq.heappush(self._ready, (rank, next(self._numbers), job))

    def start_ready(self, *, returning: bool = False) -> None:
        """Get a thread for each queued job, up to the limit. The caller holds the lock.

        `returning`: the calling thread is one of the pool and takes a job itself in a moment.
        """
        while self._rejoining and self._active < self.limit:
            self._active += 1
            self._rejoining.popleft().set()
        free = self.limit - self._active
        for _ in range(min(free, len(self._ready) - self._coming - returning)):
            self._active += 1
            self._coming += 1
            if self._idle:
                self._idle -= 1
                self._wake.notify()
            else:
                name = f"voxk8s-task-{next(self._names)}"
                threading.Thread(target=self._work, name=name, daemon=True).start()

    def secede(self) -> bool:
        """Let another thread run in the place of the calling one; return whether it may."""
        with self.lock:
            if self._seceded >= MAX_SECEDED:
                return False
            self._seceded += 1
            self._active -= 1
            self.start_ready()
            return True

    def rejoin(self) -> None:
        """Take a place again after `secede`, before queued jobs; waits until one is free."""
        with self.lock:
            self._seceded -= 1
            if self._active < self.limit:
                self._active += 1
                return
            place = threading.Event()
            self._rejoining.append(place)
        place.wait()

    def _work(self) -> None:
        generation = self.generation
        with self.lock:
            self._coming -= 1
        while True:
            job = self._next()
            if job is None:
                return
            job.run()
            if self.generation != generation:
                return
            # A job may hold the values of others.
            del job

    def _next(self) -> Job | None:
        """Return the next job, after waiting for one; None when the thread is not needed."""
        with self.lock:
            while True:
                if not self._rejoining and self._active <= self.limit:
                    while self._ready:
                        job = heapq.heappop(self._ready)[2]
                        if not job.dropped:
                            return job
                self._active -= 1
                self.start_ready()
                if self._idle >= self.limit:
                    return None
                self._idle += 1
                self._wake.wait()
                self._coming -= 1
