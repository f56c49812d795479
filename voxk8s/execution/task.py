"""The inside of a task: runs the steps of a unit in order, each with its own retry and report."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

import numpy as np

from voxk8s.errors import CorruptBlob, PermanentError, StoreError
from voxk8s.execution import process
from voxk8s.execution.keeping import is_worth_keeping
from voxk8s.execution.normal import normal
from voxk8s.execution.outcome import Failed, Report, Status
from voxk8s.execution.process import Context
from voxk8s.execution.retry import is_transient
from voxk8s.execution.sizes import describe, encode_inline, encode_skeleton, value_bytes
from voxk8s.execution.units import Action, Step, Unit
from voxk8s.kernels import KernelRegistry, files, inputs, registry
from voxk8s.kernels import context as kernel_context
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Miss, Provenance, ResultStore
from voxk8s.storage.codec import decode
from voxk8s.values import Image, SavedFile, Value

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""An operation that starts later than this after the store was asked looks there once more."""
FLUSH_SECONDS = 1.0
"""Reports of a long task are sent at least this often."""

Slot: TypeAlias = "Value | Failed"


@dataclass(slots=True)
class Clock:
    """Time and chance, given so that tests can script them."""

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = process.pause
    uniform: Callable[[], float] = random.random


@dataclass(slots=True)
class _Work:
    """The state of one task."""

    context: Context
    store: ResultStore | None
    clock: Clock
    worker: str
    kernels: KernelRegistry
    reports: list[Report] = field(default_factory=list)
    flushed: float = 0.0
    unkept: float = 0.0
    """Seconds of this task whose results are not stored."""

    def flush(self) -> None:
        process.report(self.context.run, self.reports)
        self.reports = []
        self.flushed = self.clock.elapsed()


def run_unit(unit: Unit, context: Context, *upstream: object, clock: Clock | None = None) -> object:
    """Run a unit; `upstream` are the values of its dependencies, in their order.

    Gives the value of its only export, or a mapping of all exports by key. A value that could not
    be computed is a `Failed`; this function itself raises nothing but what kills a process.
    """
    process.prepare()
    clock = clock or Clock()
    work = _Work(context, process.store_of(context), clock, process.worker_name(), registry())
    work.flushed = clock.elapsed()
    slots: list[Slot] = [*unit.constants, *_externals(unit, upstream)]
    last_use = _last_uses(unit, len(slots))
    for step in unit.steps:
        number = len(slots)
        slots.append(_run_step(step, slots, work))
        for argument in step.arguments:
            if last_use[argument] == number:
                slots[argument] = None
        if last_use[number] == number:
            slots[number] = None
        if clock.elapsed() - work.flushed > FLUSH_SECONDS:
            work.flush()
    work.flush()
    if len(unit.exports) == 1:
        return slots[unit.exports[0]]
    first = len(unit.constants) + len(unit.externals)
    return {unit.steps[number - first].key: slots[number] for number in unit.exports}


def inspect(step: Step, context: Context, value: Callable[[], Slot]) -> Report:
    """Report on a result that another run has computed, and store it if that run did not.

    `value` brings the value; it is not asked for when the store holds the result.
    """
    store = process.store_of(context)
    if store is not None and context.writes:
        record = store.record(step.key)
        if record is not None and step.key in store.contains([step.key]):
            inline = None
            if record.inline is not None:
                inline = encode_inline(decode(memoryview(record.inline)))
            return Report(
                step.key,
                Status.FOUND,
                step.kernel,
                stored="exists",
                digest=record.digest,
                size=record.size,
                media_type=record.media_type,
                value=inline,
                summary=record.summary or "",
            )
    found = value()
    work = _Work(context, store, Clock(), process.worker_name(), registry())
    if isinstance(found, Failed):
        status = Status.FAILED if found.key == step.key else Status.SKIPPED
        return _failure(step, found, status, work, 1, 0.0)
    return _finish(step, _Made(found, 0.0, Status.FOUND), work, 1, time.time())


def _externals(unit: Unit, upstream: tuple[object, ...]) -> list[Slot]:
    values = dict(zip(unit.dependencies, upstream, strict=True))
    found: list[Slot] = []
    for external in unit.externals:
        value = values[external.task]
        if not external.alone and isinstance(value, Mapping):
            value = value[external.key]
        found.append(value)  # type: ignore[arg-type]  # tasks give values and failures only
    return found


def _last_uses(unit: Unit, first: int) -> list[int]:
    """For each slot, the number of the last step that uses it; exports are used by none here."""
    last = [*range(first), *range(first, first + len(unit.steps))]
    for number, step in enumerate(unit.steps, first):
        for argument in step.arguments:
            last[argument] = number
    for number in unit.exports:
        last[number] = -1
    return last


def _run_step(step: Step, slots: list[Slot], work: _Work) -> Slot:
    arguments: list[Value] = []
    for number in step.arguments:
        argument = slots[number]
        if isinstance(argument, Failed):
            if step.goal:
                work.reports.append(
                    _failure(step, argument, Status.SKIPPED, work, attempts=0, seconds=0.0)
                )
            return argument
        arguments.append(argument)
    if process.is_cancelled(work.context.run):
        # Another run may wait for this task: to that one it is as if nobody had computed it.
        return Failed(ResultKey(step.key), "Cancelled", "the run was cancelled", missing=True)
    started = work.clock.now()
    begin = work.clock.elapsed()
    attempts = 0
    made: _Made | None = None
    while True:
        attempts += 1
        kernel_context.attempt.set(attempts)
        try:
            if step.action == Action.FETCH:
                return _fetch(step, work)
            # What is computed stays so when only the store has to be tried again.
            made = made or _make(step, arguments, work, started)
            work.reports.append(_finish(step, made, work, attempts, started))
        except BaseException as error:  # a kernel may raise anything; it is a value here
            if _is_meant_for_us(error):
                raise
            if work.context.retry.allows(attempts, error):
                _wait(step, error, work, attempts, started)
                continue
            logger.debug("%s %s failed", step.kernel, step.key, exc_info=True)
            failed = Failed(
                ResultKey(step.key),
                type(error).__name__,
                _text(error),
                is_transient(error),
                isinstance(error, _RecordGone),
            )
            seconds = work.clock.elapsed() - begin
            work.reports.append(_failure(step, failed, Status.FAILED, work, attempts, seconds))
            return failed
        else:
            return made.value


@dataclass(frozen=True, slots=True)
class _Made:
    """A value and how it was got."""

    value: Value
    seconds: float
    status: Status


def _make(step: Step, arguments: list[Value], work: _Work, started: float) -> _Made:
    begin = work.clock.elapsed()
    found = _look_again(step, work, started)
    if not isinstance(found, Miss):
        return _Made(found, work.clock.elapsed() - begin, Status.FOUND)
    begin = work.clock.elapsed()
    value = _freeze(normal(_perform(step, arguments, work)))
    seconds = work.clock.elapsed() - begin
    work.unkept += seconds
    return _Made(value, seconds, Status.COMPUTED)


def _freeze(value: Value) -> Value:
    """Make arrays read-only, as those from the store are: several operations may share one."""
    array = value.array if isinstance(value, Image) else value
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return value


def _finish(step: Step, made: _Made, work: _Work, attempts: int, started: float) -> Report:
    """Store a value if it is to be stored, and report on it."""
    value, seconds = made.value, made.seconds
    size = value_bytes(value)
    stored = digest = media_type = ""
    length = 0
    if work.store is not None and work.context.writes:
        keep = step.keep or is_worth_keeping(work.context.policy, work.unkept, size)
        if keep and (step.keep or not step.cheap or work.context.policy == "all"):
            try:
                result = work.store.put(
                    ResultKey(step.key),
                    value,
                    Provenance(
                        kernel=step.kernel,
                        version=step.version,
                        arguments=step.argument_keys,
                        seconds=seconds,
                        bytes=size,
                    ),
                    replace=work.context.replaces,
                )
            except StoreError as error:
                if step.keep:
                    raise
                logger.warning("%s was computed but could not be stored: %s", step.kernel, error)
            else:
                work.unkept = 0.0
                stored, digest, length = str(result.status), result.digest, result.size
    inline = encode_inline(value) if step.goal else None
    url = ""
    if isinstance(value, SavedFile):
        media_type = value.media_type
        folder = work.context.run_folder
        if step.goal and not stored and folder is not None and work.store is not None:
            path = f"{folder}/files/{step.key}{value.suffix}"
            url = work.store.write_run_file(path, value.data, media_type)
            digest, length = sha256(value.data).hexdigest(), len(value.data)
    return Report(
        step.key,
        made.status,
        step.kernel,
        seconds,
        attempts,
        started,
        size,
        stored,
        digest,
        length,
        media_type,
        inline,
        describe(value) if step.goal else "",
        worker=work.worker,
        url=url,
        skeleton=encode_skeleton(value) if step.goal and inline is None else None,
    )


def _perform(step: Step, arguments: list[Value], work: _Work) -> Value:
    match step.action:
        case Action.LOAD if step.pin is not None:
            return inputs.load(step.pin, process.inputs_of(work.context.run))
        case Action.LISTING if step.pin is not None:
            return list(step.pin.entries or ())
        case Action.SAVE if step.suffix is not None:
            return files.encode_file(arguments[0], step.suffix)
        case _:
            value: Value = work.kernels.function(step.kernel)(*arguments)
            return value


class _RecordGone(PermanentError):
    """A result that the store said it holds is not there any more."""


def _fetch(step: Step, work: _Work) -> Value:
    if work.store is None:
        raise _RecordGone("no store to read from")
    try:
        value = work.store.get(ResultKey(step.key))
    except CorruptBlob as error:
        raise _RecordGone(str(error)) from error
    if value is MISS:
        raise _RecordGone(f"the record {step.key} was there and is gone")
    return value


def _look_again(step: Step, work: _Work, now: float) -> Value | Miss:
    """Read what another run may have stored since this one asked; MISS when it has not."""
    late = now - work.context.resolved > LOOK_AGAIN_SECONDS
    if not late or step.cheap or not work.context.reads or work.store is None:
        return MISS
    try:
        return work.store.get(ResultKey(step.key))
    except StoreError:
        return MISS


def _wait(step: Step, error: BaseException, work: _Work, attempts: int, started: float) -> None:
    delay = work.context.retry.delay(attempts, work.clock.uniform)
    work.reports.append(
        Report(
            step.key,
            Status.RETRYING,
            step.kernel,
            attempts=attempts,
            started=started,
            error=type(error).__name__,
            message=_text(error),
            worker=work.worker,
        )
    )
    work.flush()
    work.clock.sleep(delay)


def _failure(
    step: Step, failed: Failed, status: Status, work: _Work, attempts: int, seconds: float
) -> Report:
    return Report(
        step.key,
        status,
        step.kernel,
        seconds,
        attempts,
        origin=failed.key,
        error=failed.error,
        message=failed.message,
        transient=failed.transient,
        missing=failed.missing,
        worker=work.worker,
    )


def _is_meant_for_us(error: BaseException) -> bool:
    """Whether somebody interrupts this process; Dask would end itself for a kernel's exit, too."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and isinstance(error, KeyboardInterrupt)


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
