"""One operation inside a task: read or computed, tried again, stored and reported."""

from __future__ import annotations

import logging
import threading

from voxk8s.errors import CorruptBlob, PermanentError, StoreError, StoreUnreachable
from voxk8s.execution.outcome import Failed, Report, Status
from voxk8s.execution.retry import Tries
from voxk8s.execution.tasks.task import Step, StepKind
from voxk8s.execution.worker import runtime, shared_work
from voxk8s.execution.worker.normalize import copy_containers, normalize
from voxk8s.execution.worker.store_result import failure, finish
from voxk8s.execution.worker.task_context import SlotValue, StepResult, TaskContext
from voxk8s.failure import CANCELLED, RESULT_GONE, Failure, failure_of
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.loading import load_input
from voxk8s.kernels import context as kernel_context
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Miss
from voxk8s.values import Value

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""An operation that starts later than this after the store was asked looks there once more."""


class ResultGone(PermanentError):
    """A result that the store said it holds is not there any more."""

    failure_reason = RESULT_GONE


def run_step(step: Step, slots: list[SlotValue], work: TaskContext) -> SlotValue:
    """Give the value of one operation, or the failure that is in its place."""
    arguments: list[Value] = []
    for number in step.arguments:
        argument = slots[number]
        if isinstance(argument, Failed):
            if step.goal:
                work.reports.append(
                    failure(step, argument, Status.SKIPPED, work, attempts=0, seconds=0.0)
                )
            return argument
        arguments.append(argument)
    if shared_work.is_worth(step, arguments, work):
        with shared_work.ComputeLease(
            step, work, shared_work.expect(step, arguments, work)
        ) as turn:
            return _run(step, arguments, work, turn.found)
    return _run(step, arguments, work, MISS)


def _run(step: Step, arguments: list[Value], work: TaskContext, found: Value | Miss) -> SlotValue:
    """Do one operation until it ends well or for good; `found` is its value if it is there."""
    if runtime.is_cancelled(work.run.id):
        return _cancelled(step)
    started = work.clock.now()
    begin = work.clock.elapsed()
    tries = Tries(work.run.retry)
    made = None if isinstance(found, Miss) else StepResult(found, 0.0, Status.FOUND)
    while True:
        tries.count += 1
        kernel_context.attempt.set(tries.count)
        try:
            if step.kind == StepKind.FETCH:
                return _fetch(step, work)
            # What is computed stays so when only the store has to be tried again.
            made = made or _make(step, arguments, work, started)
            value, report = finish(step, made, work, tries.count, started)
            work.reports.append(report)
        except BaseException as error:  # a kernel may raise anything; it is a value here
            if _is_meant_for_us(error):
                raise
            if tries.may_follow(error, work.clock.elapsed()):
                _wait(step, error, work, tries.count, started)
                if runtime.is_cancelled(work.run.id):
                    return _cancelled(step)
                continue
            logger.debug("%s %s failed", step.kernel, step.key, exc_info=True)
            failed = Failed(
                ResultKey(step.key), failure_of(error, kernel=step.kernel, attempts=tries.count)
            )
            seconds = work.clock.elapsed() - begin
            work.reports.append(failure(step, failed, Status.FAILED, work, tries.count, seconds))
            return failed
        else:
            return value


def _cancelled(step: Step) -> Failed:
    """Another run may wait for this task: to that one it is as if nobody had computed it."""
    return Failed(ResultKey(step.key), Failure("the run was cancelled", CANCELLED, "Cancelled"))


def _make(step: Step, arguments: list[Value], work: TaskContext, started: float) -> StepResult:
    begin = work.clock.elapsed()
    found = _look_again(step, work, started)
    if not isinstance(found, Miss):
        return StepResult(found, work.clock.elapsed() - begin, Status.FOUND)
    begin = work.clock.elapsed()
    value = _perform(step, arguments, work)
    seconds = work.clock.elapsed() - begin
    shared_work.learn(step, seconds)
    work.unstored_seconds += seconds
    return StepResult(value, seconds, Status.COMPUTED)


def _perform(step: Step, arguments: list[Value], work: TaskContext) -> Value:
    match step.kind:
        case StepKind.LOAD if step.pin is not None:
            return normalize(load_input(step.pin, runtime.input_options(work.run.id)))
        case StepKind.LISTING if step.pin is not None:
            return list(step.pin.entries or ())
        case StepKind.SAVE if step.suffix is not None:
            return encode_file(arguments[0], step.suffix)
        case _:
            function = work.kernels.function(step.kernel)
            if isinstance(work.kernels.spec(step.kernel).implementation, str):
                return normalize(function(*arguments))
            # Kernels of users may change their lists, or give one that they go on to change.
            return normalize(copy_containers(function(*copy_containers(arguments))))


def _fetch(step: Step, work: TaskContext) -> Value:
    if work.store is None:
        raise ResultGone("no store to read from")
    try:
        value = work.store.get(ResultKey(step.key))
    except CorruptBlob as error:
        raise ResultGone(str(error)) from error
    if value is MISS:
        raise ResultGone(f"the record {step.key} was there and is gone")
    return value


def _look_again(step: Step, work: TaskContext, now: float) -> Value | Miss:
    """Read what another run may have stored since this one asked; MISS when it has not."""
    late = now - work.run.looked_up_at > LOOK_AGAIN_SECONDS
    if not late or step.cheap or not work.run.reads or work.store is None:
        return MISS
    try:
        return work.store.get(ResultKey(step.key))
    except StoreError:
        return MISS


def _wait(
    step: Step, error: BaseException, work: TaskContext, attempts: int, started: float
) -> None:
    delay = work.run.retry.delay(attempts, work.clock.uniform, error)
    work.reports.append(
        Report(
            step.key,
            Status.RETRYING,
            step.kernel,
            attempts=attempts,
            started=started,
            failure=failure_of(error, kernel=step.kernel, attempts=attempts),
            worker=work.worker,
        )
    )
    work.flush()
    # While the store is away the worker's thread is not for other tasks: their values would fill
    # the memory, since none could be stored.
    silence = isinstance(error, StoreUnreachable)
    (work.clock.block if silence else work.clock.sleep)(delay)


def _is_meant_for_us(error: BaseException) -> bool:
    """Whether somebody interrupts this process; Dask would end itself for a kernel's exit, too."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and isinstance(error, KeyboardInterrupt)
