"""The end of one operation: its value is stored if it is to be, and the driver is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from hashlib import sha256

from voxk8s import constants
from voxk8s.describe import as_line
from voxk8s.errors import StoreError
from voxk8s.execution.inline_values import encode_inline, encode_skeleton, value_bytes
from voxk8s.execution.outcome import Failed, Report, Status
from voxk8s.execution.tasks.task import Step
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.keeping import is_worth_storing
from voxk8s.execution.worker.task_context import Clock, RunSpec, SlotValue, StepResult, TaskContext
from voxk8s.kernels import registry
from voxk8s.plan import ResultKey
from voxk8s.storage import Miss, Provenance, PutResult, PutStatus
from voxk8s.storage.record_codec import read_value
from voxk8s.values import SavedFile, Value

logger = logging.getLogger(__name__)


def finish(
    step: Step, made: StepResult, work: TaskContext, attempts: int, started: float
) -> tuple[Value, Report]:
    """Store a value if it is to be stored; give the value to go on with, and the report.

    Where the store has another value already, that is the one to go on with: all runs have the
    same, and what is computed from it is the same as well.
    """
    value = made.value
    memory = value_bytes(value)
    put = _store(step, made, memory, work)
    if put is not None and put.status is PutStatus.NONDETERMINISTIC and work.store is not None:
        held = work.store.get(ResultKey(step.key))
        value = value if isinstance(held, Miss) else held
    stored, digest, size = ("", "", 0) if put is None else (str(put.status), put.digest, put.size)
    inline = encode_inline(value) if step.goal else None
    url = media_type = ""
    if isinstance(value, SavedFile):
        media_type = value.media_type
        folder = work.run.run_folder
        if step.goal and not stored and folder is not None and work.store is not None:
            path = f"{folder}/files/{step.key}{value.suffix}"
            url = work.store.write_run_file(path, value.data, media_type)
            digest, size = sha256(value.data).hexdigest(), len(value.data)
    return value, Report(
        step.key,
        made.status,
        step.kernel,
        made.seconds,
        attempts,
        started,
        memory,
        stored,
        digest,
        size,
        media_type,
        inline,
        as_line(value) if step.goal else "",
        worker=work.worker,
        url=url,
        skeleton=encode_skeleton(value) if step.goal and inline is None else None,
    )


def _store(step: Step, made: StepResult, memory: int, work: TaskContext) -> PutResult | None:
    """Store a value if that is wanted or worth it; None when it is not stored."""
    if work.store is None or not work.run.writes:
        return None
    policy = work.run.store_policy
    if not step.must_store:
        if step.cheap and policy != "all":
            return None
        if not is_worth_storing(policy, work.unstored_seconds, memory):
            return None
    provenance = Provenance(
        kernel=step.kernel,
        version=step.version,
        arguments=step.argument_keys,
        seconds=made.seconds,
        bytes=memory,
        created=work.clock.now(),
        voxk8s_version=constants.RELEASE,
    )
    key = ResultKey(step.key)
    try:
        put = work.store.put(key, made.value, provenance, replace=work.run.replaces)
    except StoreError as error:
        if step.must_store:
            raise
        logger.warning("%s was computed but could not be stored: %s", step.kernel, error)
        return None
    work.unstored_seconds = 0.0
    return put


def failure(
    step: Step, failed: Failed, status: Status, work: TaskContext, attempts: int, seconds: float
) -> Report:
    """Report that an operation has no value: it failed, or something below it did."""
    return Report(
        step.key,
        status,
        step.kernel,
        seconds,
        attempts,
        origin=failed.key,
        failure=failed.failure,
        worker=work.worker,
    )


def inspect(step: Step, run: RunSpec, value: Callable[[], SlotValue]) -> Report:
    """Report on a result that another run has computed, and store it if that run did not.

    `value` brings the value; it is not asked for when the store holds the result.
    """
    store = run.shared_store()
    if store is not None and run.writes:
        record = store.record(step.key)
        if record is not None and step.key in store.contains([step.key]):
            held = None if record.inline is None else read_value(record, memoryview(record.inline))
            if not isinstance(held, Miss):
                return Report(
                    step.key,
                    Status.FOUND,
                    step.kernel,
                    stored="exists",
                    digest=record.digest,
                    size=record.size,
                    media_type=record.media_type,
                    value=None if record.inline is None else encode_inline(held),
                    summary=record.summary or "",
                )
    found = value()
    work = TaskContext(run, store, Clock(), runtime.worker_name(), registry())
    if isinstance(found, Failed):
        status = Status.FAILED if found.key == step.key else Status.SKIPPED
        return failure(step, found, status, work, 1, 0.0)
    return finish(step, StepResult(found, 0.0, Status.FOUND), work, 1, time.time())[1]
