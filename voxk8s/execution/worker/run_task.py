"""Runs a task: its steps in order, each one read or computed, retried, stored and reported."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Final

from voxk8s.errors import (
    CorruptBlob,
    PermanentError,
    ResourcesNotOffered,
    StoreError,
    StoreUnreachable,
)
from voxk8s.execution.inline_values import most_voxels
from voxk8s.execution.operation_reports import Failed, Report, Status
from voxk8s.execution.retry import Attempts
from voxk8s.execution.tasks.task import Step, StepKind, TaskSpec
from voxk8s.execution.worker import keeping, running_now, runtime, shared_work
from voxk8s.execution.worker.normalize import copy_containers, normalize
from voxk8s.execution.worker.own_memory import own_memory
from voxk8s.execution.worker.store_result import adopt_result, failure_report, store_result
from voxk8s.execution.worker.task_context import Clock, RunSpec, SlotValue, StepResult, TaskContext
from voxk8s.failure import CANCELLED, RESULT_GONE, Failure, failure_of
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.loading import load_input
from voxk8s.kernels import attempt
from voxk8s.not_finite import not_finite
from voxk8s.plan import ResultKey
from voxk8s.plan.sequence_kernels import RECOVER
from voxk8s.storage import MISS, Miss
from voxk8s.values import Value

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 1.0
"""Pending reports of a task are sent at least this often, between two steps."""
FLUSH_REPORTS: Final = 256
"""And when there are this many: the scheduler keeps a number of messages, whatever their size."""
FLUSH_BYTES: Final = 2**18
"""And when their values and messages are this long: those of 256 reports can be a gigabyte."""
STALE_LOOKUP_SECONDS: Final = 2.0
"""When the run's lookup is older than this, a step looks for its result once more."""
LOOKUP_WORTH_SECONDS: Final = 0.2
"""A step that is expected to take less than this is computed without another lookup: on a distant
store that would take longer than the step, which is unlikely to have been stored."""


class ResultGone(PermanentError):
    """A result that the store held is not there any more, or its bytes are corrupt."""

    failure_reason = RESULT_GONE


def run_task(task: TaskSpec, run: RunSpec, *upstream: object, clock: Clock | None = None) -> object:
    """Run a task; `upstream` are the values of its dependencies, in their order.

    Returns the value of its only export, or a mapping of all exports by key. An export that could
    not be computed is a `Failed`. Raises only a KeyboardInterrupt of the main thread.
    """
    runtime.prepare_process()
    context = TaskContext.create(run, clock)
    slots: list[SlotValue] = [*task.constants, *_upstream_values(task, upstream)]
    last_uses = _last_uses(task, len(slots))
    for step in task.steps:
        number = len(slots)
        slots.append(run_step(step, slots, context))
        for argument in step.arguments:
            if last_uses[argument] == number:
                slots[argument] = None
        if last_uses[number] == number:
            slots[number] = None
        if (
            len(context.reports) >= FLUSH_REPORTS
            or context.reported_bytes >= FLUSH_BYTES
            or context.clock.elapsed() - context.flushed_at > FLUSH_SECONDS
        ):
            context.flush()
    context.flush()
    if len(task.exports) == 1:
        return slots[task.exports[0]]
    first = len(task.constants) + len(task.upstream)
    return {task.steps[number - first].key: slots[number] for number in task.exports}


def _upstream_values(task: TaskSpec, upstream: tuple[object, ...]) -> list[SlotValue]:
    values = dict(zip(task.dependencies, upstream, strict=True))
    found: list[SlotValue] = []
    for reference in task.upstream:
        value = values[reference.task]
        if not reference.sole_export and isinstance(value, Mapping):
            value = value[reference.key]
        found.append(value)  # type: ignore[arg-type]  # tasks return values and failures only
    return found


def _last_uses(task: TaskSpec, first: int) -> list[int]:
    """Return the number of the last step that uses each slot; -1 for exports, which are kept."""
    last = [*range(first), *range(first, first + len(task.steps))]
    for number, step in enumerate(task.steps, first):
        for argument in step.arguments:
            last[argument] = number
    for number in task.exports:
        last[number] = -1
    return last


def run_step(step: Step, slots: list[SlotValue], context: TaskContext) -> SlotValue:
    """Return the value of a step, or the failure of the step or of one of its arguments."""
    arguments: list[Value] = []
    for place, number in enumerate(step.arguments):
        argument = slots[number]
        if place == 0 and isinstance(argument, Failed) and _is_recovered(step, argument.failure):
            argument = slots[step.arguments[1]]
        if isinstance(argument, Failed):
            # Of operations that can be computed after all the driver must know each one.
            if step.rule.goal or argument.failure.is_recomputable:
                key = step.argument_keys[place] if step.rule.kind != StepKind.ADOPT else step.key
                context.report(failure_report(step, argument, Status.SKIPPED, context, 0, 0.0, key))
            return argument
        arguments.append(argument)
    lease = shared_work.lease_for(step, arguments, context)
    if lease is None:
        return _run_with_retries(step, arguments, context, MISS)
    with lease:
        return _run_with_retries(step, arguments, context, lease.found)


def _is_recovered(step: Step, failure: Failure) -> bool:
    """Whether a step has another value for an argument that failed.

    Only for failures that follow from the operation and its arguments: the value may be stored.
    """
    return step.rule.kernel == RECOVER and not failure.transient and not failure.is_recomputable


def _run_with_retries(
    step: Step, arguments: list[Value], context: TaskContext, found: Value | Miss
) -> SlotValue:
    """Run a step until it succeeds or may not be retried; `found` is its value if it is known."""
    if runtime.is_cancelled(context.run.id):
        return _cancelled(step, context)
    started = context.clock.now()
    begin = context.clock.elapsed()
    attempts = Attempts(context.run.retry)
    result = None if isinstance(found, Miss) else StepResult(found, 0.0, Status.FOUND)
    while True:
        attempts.count += 1
        attempt.set(attempts.count)
        try:
            if step.rule.kind == StepKind.FETCH:
                return _fetch(step, context)
            if step.rule.kind == StepKind.ADOPT:
                value, report = adopt_result(step, arguments[0], context)
                context.report(report)
                return value
            # When only the store fails, the value is not computed again.
            result = result or _find_or_compute(step, arguments, context, started)
            value, report = store_result(step, result, context, attempts.count, started)
            context.report(report)
        except BaseException as error:  # kernels may raise anything; here it becomes a value
            if _is_interrupt(error):
                raise
            if attempts.may_retry(error, context.clock.elapsed()):
                _wait_for_retry(step, error, context, attempts.count, started)
                if runtime.is_cancelled(context.run.id):
                    return _cancelled(step, context)
                continue
            logger.debug("%s %s failed", step.rule.kernel, step.key, exc_info=True)
            failed = Failed(
                ResultKey(step.key),
                failure_of(error, kernel=step.rule.kernel, attempts=attempts.count),
            )
            seconds = context.clock.elapsed() - begin
            context.report(
                failure_report(
                    step,
                    failed,
                    Status.FAILED,
                    context,
                    attempts.count,
                    seconds,
                    started=started,
                )
            )
            return failed
        else:
            return value


def _cancelled(step: Step, context: TaskContext) -> Failed:
    """Return a failure that makes another run which waits for this task compute it again."""
    failure = Failure("the run was cancelled", CANCELLED, "Cancelled")
    failed = Failed(ResultKey(step.key), failure)
    context.report(failure_report(step, failed, Status.SKIPPED, context, attempts=0, seconds=0.0))
    return failed


def _find_or_compute(
    step: Step, arguments: list[Value], context: TaskContext, started: float
) -> StepResult:
    if step.rule.refused:
        raise ResourcesNotOffered(step.rule.refused)
    begin = context.clock.elapsed()
    again = _look_again(step, arguments, context, started)
    if not isinstance(again, Miss):
        return StepResult(again, context.clock.elapsed() - begin, Status.FOUND)
    if not step.rule.cheap:
        begin = context.clock.elapsed()
    running_now.began(step.rule.kernel)
    cpu_begin = context.clock.cpu()
    try:
        value = _compute(step, arguments, context)
    finally:
        running_now.ended()
    seconds, cpu_seconds = context.clock.elapsed() - begin, context.clock.cpu() - cpu_begin
    shared_work.record_seconds(step, seconds)
    context.budget.computed(seconds)
    keeping.record_computed(step.key, seconds, step.argument_keys)
    voxels = most_voxels([value] if step.rule.kind == StepKind.LOAD else arguments)
    found = ""
    if step.rule.kind == StepKind.SAVE or step.rule.goal:
        found = not_finite(arguments[0] if step.rule.kind == StepKind.SAVE else value)
    return StepResult(value, seconds, Status.COMPUTED, voxels, found, cpu_seconds)


def _compute(step: Step, arguments: list[Value], context: TaskContext) -> Value:
    rule = step.rule
    match rule.kind:
        case StepKind.LOAD if rule.pin is not None:
            context.kernels.require_version(rule.kernel, rule.version)
            return normalize(load_input(rule.pin, runtime.input_options(context.run.id)))
        case StepKind.LISTING if rule.pin is not None:
            context.kernels.require_version(rule.kernel, rule.version)
            return list(rule.pin.entries or ())
        case StepKind.SAVE if rule.suffix is not None:
            context.kernels.require_version(rule.kernel, rule.version)
            return encode_file(arguments[0], rule.suffix)
        case _:
            function, is_own = context.function(rule)
            if is_own:
                return normalize(function(*arguments))
            # Kernels of users may modify their arguments, or what they have returned.
            given = copy_containers(arguments)
            return normalize(own_memory([function(*given)], arguments))


def _fetch(step: Step, context: TaskContext) -> Value:
    if context.store is None:
        raise ResultGone("the run has no store to read from")
    try:
        value = context.store.get(ResultKey(step.key))
    except CorruptBlob as error:
        raise ResultGone(str(error)) from error
    if value is MISS:
        raise ResultGone(f"the record {step.key} is not in the store any more")
    return value


def _look_again(
    step: Step, arguments: list[Value], context: TaskContext, now: float
) -> Value | Miss:
    """Return the result that was stored since the run's lookup, else MISS.

    What this process has stored is read at once; others are asked for only if a step is dear.
    """
    store = context.store
    if step.rule.cheap or not context.run.reads or store is None:
        return MISS
    if not store.has_put(step.key):
        if now - context.run.looked_up_at <= STALE_LOOKUP_SECONDS:
            return MISS
        if shared_work.expected_seconds(step, arguments, context) < LOOKUP_WORTH_SECONDS:
            return MISS
    try:
        return store.get(ResultKey(step.key))
    except StoreError:
        return MISS


def _wait_for_retry(
    step: Step, error: BaseException, context: TaskContext, attempts: int, started: float
) -> None:
    delay = context.run.retry.delay(attempts, context.clock.uniform, error)
    context.report(
        Report(
            step.key,
            Status.RETRYING,
            step.rule.kernel,
            attempts=attempts,
            started=started,
            failure=failure_of(error, kernel=step.rule.kernel, attempts=attempts),
            worker=context.worker,
        )
    )
    context.flush()
    # While the store is unreachable, other tasks must not run in this thread: their values could
    # not be stored and would fill the memory.
    is_outage = isinstance(error, StoreUnreachable)
    (context.clock.block if is_outage else context.clock.sleep)(delay)


def _is_interrupt(error: BaseException) -> bool:
    """Whether a user interrupts the process; in a worker's thread the kernel itself raised it."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and isinstance(error, KeyboardInterrupt)
