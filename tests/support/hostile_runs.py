"""Concurrent runs of random plans while their stores are harmed; what goes wrong is counted."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.plans_and_runs import Unfused, engine_on
from tests.support.random_plans import FAILED, Inputs, Perhaps, RandomPlan, differs, random_plan
from voxk8s.execution import ExecutionResult
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.run import submit
from voxk8s.storage import ResultStore
from voxk8s.storage.upkeep.gc_policy import Limits

HANG_CPU_SECONDS: Final = 60.0
"""Runs that have not ended when this process has used so much CPU time hang: it may be starved."""
HANG_SECONDS: Final = 900.0
"""And those that have not ended then."""
MOST_HARMS: Final = 200
"""How often the stores of a batch are harmed: under harm without end no run needs to end."""
CACHE_MODES: Final = ("use", "use", "use", "refresh", "bypass")
POLICIES: Final = ("auto", "all", "all", "goals")
EVERYTHING: Final = Limits(older_than=0.0, max_bytes=0, grace=-1e6)

Harm = Callable[[random.Random], str]
"""Harms a store once; returns what it did, or nothing."""


@dataclass
class Counts:
    """What was done, and what went wrong."""

    plans: int = 0
    runs: int = 0
    operations: int = 0
    goals: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    hangs: int = 0
    failed: int = 0
    """Goals that were not reached although the work could be done."""
    mistakes: list[str] = field(default_factory=list)
    """All that went wrong, in words."""


def harm_folder(folder: Path, store: ResultStore) -> Harm:
    """Harm a store in a folder: flip bits, delete objects, collect everything as garbage."""

    def harm(chance: random.Random) -> str:
        kind = chance.choice(
            ("flipped blob", "deleted blob", "flipped record", "deleted record", "collection")
        )
        if kind == "collection":
            if chance.random() < 0.7:
                return ""
            store.collect(EVERYTHING)
            return kind
        part = folder / ("cas" if "blob" in kind else "ac")
        files = [Path(at) / name for at, _, names in os.walk(part) for name in names]
        if not files:
            return ""
        path = chance.choice(files)
        try:
            if kind.startswith("deleted"):
                path.unlink()
                return kind
            data = bytearray(path.read_bytes())
            if not data:
                return ""
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            # In place: what lies on a disk changes without a rename.
            with path.open("r+b") as file:
                file.write(data)
        except OSError:
            return ""
        return kind

    return harm


def harm_by_api(store: ResultStore) -> Harm:
    """Harm a store of any kind: delete objects, collect everything as garbage."""
    backend: Any = store._backend

    def harm(chance: random.Random) -> str:
        kind = chance.choice(("deleted blob", "deleted record", "flipped blob", "collection"))
        if kind == "collection":
            if chance.random() < 0.7:
                return ""
            store.collect(EVERYTHING)
            return kind
        prefix = "cas/" if "blob" in kind else "ac/"
        found = [each.path for each in backend.list(prefix)]
        if not found:
            return ""
        path = chance.choice(found)
        if kind.startswith("deleted"):
            backend.delete(path)
            return kind
        data = bytearray(backend.get(path) or b"")
        if not data:
            return ""
        data[chance.randrange(len(data))] ^= 1
        backend.write(path, (bytes(data),), "application/octet-stream")
        return kind

    return harm


@contextmanager
def small_windows(chance: random.Random) -> Iterator[None]:
    """Let the executor hold a few tasks at most, so that it is fed all the time."""
    before = submit.WINDOW, submit.WINDOW_PER_THREAD
    if chance.random() < 0.7:
        submit.WINDOW, submit.WINDOW_PER_THREAD = chance.randrange(1, 6), 0  # type: ignore[misc]
    try:
        yield
    finally:
        submit.WINDOW, submit.WINDOW_PER_THREAD = before  # type: ignore[misc]


def hostile_batch(
    executor: Executor,
    stores: Sequence[ResultStore],
    harms: Sequence[Harm],
    plans: Sequence[RandomPlan],
    chance: random.Random,
    counts: Counts,
    *,
    output: Path | None = None,
    most_runs: int = 4,
) -> None:
    """Run plans at once on stores that are harmed meanwhile, and check every goal."""
    runs = [
        _Run(executor, stores, chance.choice(plans), random.Random(chance.random()), output)
        for _ in range(chance.randrange(1, most_runs + 1) - 1)
    ]
    runs += [_Run(executor, stores, plan, random.Random(chance.random()), output) for plan in plans]
    ended = threading.Event()
    hostile = threading.Thread(
        target=_harm, args=(harms, random.Random(chance.random()), ended, counts), daemon=True
    )
    with small_windows(chance):
        if harms:
            hostile.start()
        for run in runs:
            run.thread.start()
        _join([run.thread for run in runs])
        if any(run.thread.is_alive() for run in runs):
            _show_hang()
        ended.set()
        if harms:
            hostile.join()
    counts.plans += len(plans)
    for run in runs:
        run.check(counts)


class _Run:
    """One run in a thread, with options of its own."""

    def __init__(
        self,
        executor: Executor,
        stores: Sequence[ResultStore],
        plan: RandomPlan,
        chance: random.Random,
        output: Path | None,
    ) -> None:
        self._plan = plan
        self._is_cancelled = chance.random() < 0.1
        self._cancel_after = chance.random() * 0.05
        options: dict[str, object] = {
            "cache": chance.choice(CACHE_MODES),
            "policy": chance.choice(POLICIES),
            "on_failure": "failfast" if chance.random() < 0.05 else "continue",
        }
        self._stops_early = options["on_failure"] == "failfast" and plan.fails
        self.text = " ".join(map(str, options.values()))
        if chance.random() < 0.4:
            options["scheduling"] = Unfused()
            self.text += " unfused"
        if output is not None and chance.random() < 0.3:
            options |= {"output": output / str(chance.random()), "write_files": True}
        self._engine = engine_on(chance.choice(stores), executor, **options)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._result: ExecutionResult | None = None
        self._error = ""
        self._values: dict[str, object] = {}
        self._unread: dict[str, str] = {}

    def _work(self) -> None:
        timer = threading.Timer(self._cancel_after, self._engine.cancel)
        if self._is_cancelled:
            timer.start()
        try:
            result = self._result = self._engine.execute_workplan(self._plan.plan)
            for name in result:
                try:
                    self._values[name] = result[name]
                except Exception as error:  # noqa: BLE001 - counted
                    self._unread[name] = repr(error)
        except BaseException as error:  # noqa: BLE001 - counted
            self._error = traceback.format_exc()[-1500:] or repr(error)
        timer.cancel()

    def check(self, counts: Counts) -> None:
        """Count what this run has done wrong."""
        counts.runs += 1
        if self.thread.is_alive():
            counts.hangs += 1
            counts.mistakes.append(f"{self.text}: hangs")
            return
        if self._result is None:
            counts.failed += 1
            counts.mistakes.append(f"{self.text}: {self._error}")
            return
        counts.operations += self._result.total_operations
        counts.faults["cancelled run"] += self._is_cancelled
        excused = self._is_cancelled or self._stops_early
        outcomes = {outcome.goal.name: outcome for outcome in self._result.goals}
        for name, expected in self._plan.expected.items():
            counts.goals += 1
            failure = outcomes[name].failure
            if name in self._values:
                value = expected.value if isinstance(expected, Perhaps) else expected
                if value is FAILED or differs(value, self._values[name]):
                    text = f"{self.text}: {name} is {self._values[name]!r}, not {value!r}"
                    counts.wrong += 1
                    counts.mistakes.append(text[:1000])
            elif name in self._unread:
                counts.failed += 1
                counts.mistakes.append(f"{self.text}: {name} unread: {self._unread[name]}")
            elif expected is not FAILED and not isinstance(expected, Perhaps) and not excused:
                counts.failed += 1
                counts.mistakes.append(f"{self.text}: {name}: {failure}")


def _join(threads: Iterable[threading.Thread]) -> None:
    """Wait for the end of threads, until they count as hanging."""
    deadline, cpu_deadline = time.monotonic() + HANG_SECONDS, time.process_time() + HANG_CPU_SECONDS
    for thread in threads:
        while thread.is_alive():
            if time.monotonic() > deadline or time.process_time() > cpu_deadline:
                return
            thread.join(1.0)


def _show_hang() -> None:
    """Print where all threads are, and what is logged for a moment: it may be a circle."""
    _show_threads()
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    time.sleep(0.5)
    logging.disable(disabled)
    _show_threads()


def _show_threads() -> None:
    """Print the stacks of all threads but those of pools that wait for work: they may be many."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is None or frame.f_code.co_filename.endswith("concurrent/futures/thread.py"):
            continue
        print(f"thread {thread.name}", file=sys.stderr)
        traceback.print_stack(frame, file=sys.stderr)


def _harm(
    harms: Sequence[Harm], chance: random.Random, ended: threading.Event, counts: Counts
) -> None:
    for _ in range(MOST_HARMS):
        if ended.wait(chance.random() * 0.01):
            return
        kind = chance.choice(harms)(chance)
        if kind:
            counts.faults[kind] += 1


def batches(inputs: Inputs, seeds: Iterable[int]) -> Iterator[tuple[int, list[RandomPlan]]]:
    """Make a few plans with common operations for each seed."""
    for seed in seeds:
        yield seed, [random_plan(inputs, seed, number) for number in range(1 + seed % 3)]
