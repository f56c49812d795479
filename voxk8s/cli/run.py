"""`voxk8s run`: a program or plan, in this process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from voxk8s.cli.output import dump, failure_json, goal_line, result_json
from voxk8s.cli.progress import ProgressLine
from voxk8s.cli.source import Input, read_input
from voxk8s.constants import ENV_DASK_MEMORY
from voxk8s.describe import one_line
from voxk8s.errors import TransientError
from voxk8s.execution import CacheMode, Event, ExecutionEngine, ExecutionResult, OnFailure
from voxk8s.execution.events import Listener, OperationFailed
from voxk8s.storage import ResultStore, open_store

if TYPE_CHECKING:
    from voxk8s.cli.report import Reporter


def run(arguments: argparse.Namespace) -> int:
    """Run a plan and write what its `print` goals give."""
    # The limit that suits a guest in somebody's process is too small where we are the process.
    os.environ.setdefault(ENV_DASK_MEMORY, "auto")
    reporter = _reporter(arguments)
    store = open_store(arguments.store)
    # A store that cannot be used is one message, not the failure of whatever asked it first; a
    # remote one answers while the plan is read. Without a cache it is not needed.
    answered = None if arguments.no_cache else store.ping()
    given = read_input(arguments)
    told = _Told()
    try:
        if answered is not None:
            answered()
        result = _execute(given, store, arguments, told, reporter)
    except TransientError as error:
        if arguments.json:
            print(dump(failure_json(given.plan, str(error))))
        raise
    if arguments.json:
        print(dump(result_json(result)))
    else:
        _write_lines(result)
    for outcome in result.goals:
        if outcome.error is not None:
            print(
                f"voxk8s: {one_line(outcome.goal.name)}: {told.shorten(outcome.error)}",
                file=sys.stderr,
            )
    reported = reporter is None or reporter.write(result, given, store)
    return 0 if result.success and reported else 1


def _reporter(arguments: argparse.Namespace) -> Reporter | None:
    if arguments.report is None:
        return None
    # Imported here: most runs have no report.
    from voxk8s.cli.report import Reporter

    return Reporter(arguments)


def _execute(
    given: Input,
    store: ResultStore,
    arguments: argparse.Namespace,
    told: Listener,
    reporter: Reporter | None,
) -> ExecutionResult:
    listeners = [told]
    if reporter is not None:
        listeners.append(reporter.recorder)
    if not arguments.quiet:
        listeners.append(ProgressLine(sys.stderr, live=sys.stderr.isatty()))
    engine = ExecutionEngine(
        store,
        cache=_cache(arguments),
        on_failure=OnFailure.FAIL_FAST if arguments.fail_fast else OnFailure.CONTINUE,
        output=arguments.output,
        write_files=True,
        listeners=listeners,
    )
    try:
        return engine.execute_workplan(given.plan, places=given.places)
    except KeyboardInterrupt:
        engine.cancel()
        raise


def _cache(arguments: argparse.Namespace) -> CacheMode:
    if arguments.refresh:
        return CacheMode.REFRESH
    return CacheMode.BYPASS if arguments.no_cache else CacheMode.USE


def _write_lines(result: ExecutionResult) -> None:
    for outcome in result.goals:
        if outcome.error is None and outcome.goal.operation == "print":
            print(goal_line(outcome))


class _Told:
    """A listener that knows which failures the log has told already, when they happened."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, OperationFailed):
            place = event.place and f"{event.place}: "
            self._failed.add(f"{place}{event.kernel} ({event.operation[:12]}) failed")

    def shorten(self, error: str) -> str:
        """Leave out of a goal's error why an operation failed, if that was told."""
        head = "".join(error.partition(" failed")[:2])
        return head if head in self._failed else error
