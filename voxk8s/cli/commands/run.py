"""`voxk8s run`: run a program or plan in this process."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, cast

from voxk8s.cli.input_file import Input, read_input
from voxk8s.cli.named_store import open_named_store
from voxk8s.cli.permissions import permissions
from voxk8s.cli.progress_line import ProgressLine
from voxk8s.cli.run_output import dump, failure_json, goal_line, result_json
from voxk8s.constants import ENV_DASK_MEMORY, EXIT_EXPECTATION_FAILED
from voxk8s.describe import one_line
from voxk8s.errors import InvalidUsage, TransientError
from voxk8s.execution import CacheMode, Event, ExecutionEngine, ExecutionResult, OnFailure
from voxk8s.execution.events import Listener, OperationFailed
from voxk8s.execution.run.run_thread import LateValue
from voxk8s.failure import Failure
from voxk8s.inputs.input_options import InputOptions
from voxk8s.plan import OperationId
from voxk8s.plan.expectation import differences
from voxk8s.redact import visible
from voxk8s.settings import Settings
from voxk8s.storage import ResultStore

if TYPE_CHECKING:
    from voxk8s.cli.lock_file import LockFile
    from voxk8s.cli.report_file import Reporter
    from voxk8s.cli.trace_file import TraceFile


def run(arguments: argparse.Namespace) -> int:
    """Run a plan and print the values of its `print` goals."""
    # The default limit is for a library inside of another program; here the process is ours.
    os.environ.setdefault(ENV_DASK_MEMORY, "auto")
    reporter = _reporter(arguments)
    trace = _trace(arguments)
    lock = _lock(arguments)
    store = open_named_store(arguments)
    # An unusable store is reported once, before anything runs. A remote store answers while the
    # plan is read. Without a cache no store is needed.
    answered = None if arguments.no_cache else store.ping()
    given = read_input(arguments)
    allowed = permissions(arguments)
    allowed.check_files(given.plan, arguments.output or "")
    inputs = allowed.check_plan(given.plan, InputOptions.from_env(os.environ))
    reported = ReportedFailures()
    try:
        if answered is not None:
            answered()
        result = _execute(given, store, inputs, arguments, reported, reporter)
    except KeyboardInterrupt as interrupt:
        late = interrupt.__cause__
        if isinstance(late, LateValue):
            partial = cast("ExecutionResult", late.value)
            if trace is not None:
                trace.write(partial, given)
            if reporter is not None:
                reporter.write(partial, given, inputs, store)
        raise
    except TransientError as error:
        if arguments.json:
            print(dump(failure_json(given.plan, Failure(str(error), error.failure_reason))))
        raise
    if arguments.json:
        print(dump(result_json(result)))
    else:
        _write_lines(result)
    for outcome in result.goals:
        if outcome.failure is not None:
            text = reported.text(outcome.failure)
            print(f"voxk8s: {one_line(outcome.goal.name)}: {visible(text)}", file=sys.stderr)
    for each in result.skipped:
        print(f"voxk8s: warning: {visible(str(each))}", file=sys.stderr)
    for goal in result.not_finite:
        print(f"voxk8s: warning: {visible(one_line(str(goal)))}", file=sys.stderr)
    unmet = differences(given.expectations, result)
    if lock is not None and result.success:
        unmet += lock.compare(given.plan, result)
    for text in unmet:
        print(f"voxk8s: {visible(text)}", file=sys.stderr)
    written = trace is None or trace.write(result, given)
    if reporter is not None and not reporter.write(result, given, inputs, store, unmet):
        written = False
    if not (result.success and written):
        return 1
    return EXIT_EXPECTATION_FAILED if unmet else 0


def _lock(arguments: argparse.Namespace) -> LockFile | None:
    if arguments.lock is None:
        return None
    # Imported here: most runs have none.
    from voxk8s.cli.lock_file import LockFile

    return LockFile(Path(arguments.lock))


def _reporter(arguments: argparse.Namespace) -> Reporter | None:
    if arguments.report is None:
        if arguments.report_voxels is not None:
            raise InvalidUsage("--report-voxels is for a report: name its file with --report FILE")
        return None
    # Imported here: most runs have no report.
    from voxk8s.cli.report_file import Reporter

    return Reporter(arguments)


def _trace(arguments: argparse.Namespace) -> TraceFile | None:
    if arguments.trace is None:
        return None
    # Imported here: most runs have none.
    from voxk8s.cli.trace_file import TraceFile

    return TraceFile(arguments.trace)


def _execute(
    given: Input,
    store: ResultStore,
    inputs: InputOptions,
    arguments: argparse.Namespace,
    reported: Listener,
    reporter: Reporter | None,
) -> ExecutionResult:
    listeners = [reported]
    if reporter is not None:
        listeners.append(reporter.recorder)
    line = ProgressLine(sys.stderr, live=sys.stderr.isatty())
    if not arguments.quiet:
        listeners.append(line)
    # Dask takes a second to start: it is used by those who want to see its dashboard.
    dashboard = Settings.from_env(os.environ).enable_dashboard
    engine = ExecutionEngine(
        store,
        executor="local" if dashboard else "threads",
        cache=_cache(arguments),
        on_item_failure=arguments.on_item_failure or given.on_item_failure,
        on_failure=OnFailure.FAIL_FAST if arguments.fail_fast else OnFailure.CONTINUE,
        inputs=inputs,
        output=arguments.output,
        write_files=True,
        listeners=listeners,
    )
    with line, _measured(reporter):
        return engine.execute_workplan(given.plan, places=given.places)


def _measured(reporter: Reporter | None) -> AbstractContextManager[None]:
    """Record for a report what this process uses."""
    if reporter is None:
        return nullcontext()
    from voxk8s.history import own_usage

    return reporter.usage(own_usage())


def _cache(arguments: argparse.Namespace) -> CacheMode:
    if arguments.refresh:
        return CacheMode.REFRESH
    return CacheMode.BYPASS if arguments.no_cache else CacheMode.USE


def _write_lines(result: ExecutionResult) -> None:
    for outcome in result.goals:
        if outcome.succeeded and outcome.goal.operation == "print":
            print(goal_line(outcome))


class ReportedFailures:
    """A listener that remembers which failures the log has already shown."""

    def __init__(self) -> None:
        self._operations: set[OperationId] = set()

    def __call__(self, event: Event) -> None:
        """Remember the operation of a failure."""
        if isinstance(event, OperationFailed):
            self._operations.add(event.failure.operation)

    def text(self, failure: Failure) -> str:
        """Return a failure in one line, without its cause if the log has shown it."""
        shown = failure.kernel and failure.operation in self._operations
        return failure.headline if shown else str(failure)
