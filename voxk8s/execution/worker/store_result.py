"""The end of a step: its result is stored if that is worth it, and reported to the driver."""

from __future__ import annotations

import logging
from hashlib import sha256

from voxk8s import constants
from voxk8s.describe import as_line, describe_geometry
from voxk8s.errors import StoreError
from voxk8s.execution.inline_values import encode_inline, encode_skeleton, value_bytes
from voxk8s.execution.operation_reports import Failed, Report, Status
from voxk8s.execution.tasks.task import Step, StepKind
from voxk8s.execution.worker import keeping
from voxk8s.execution.worker.task_context import StepResult, TaskContext
from voxk8s.plan import ResultKey
from voxk8s.storage import Miss, Provenance, PutResult, PutStatus, ResultStore
from voxk8s.storage.record import read_value
from voxk8s.values import Image, SavedFile, Value

logger = logging.getLogger(__name__)


def store_result(
    step: Step, result: StepResult, context: TaskContext, attempts: int, started: float
) -> tuple[Value, Report]:
    """Store a result if it must be stored or is worth it; return its value and the report.

    If the store already has a different value, that one is returned: so all runs compute the later
    results from the same value.
    """
    value = result.value
    memory = value_bytes(value)
    put = _put(step, result, memory, context)
    if put is not None and put.status is PutStatus.NONDETERMINISTIC and context.store is not None:
        held = context.store.get(ResultKey(step.key))
        value = value if isinstance(held, Miss) else held
    stored, digest, size = ("", "", 0) if put is None else (str(put.status), put.digest, put.size)
    inline = encode_inline(value) if step.rule.goal else None
    url = media_type = ""
    if isinstance(value, SavedFile):
        media_type = value.media_type
        folder = context.run.run_folder
        if step.rule.goal and not stored and folder is not None and context.store is not None:
            path = f"{folder}/files/{step.key}{value.suffix}"
            url = context.store.write_run_file(path, value.data, media_type)
            digest, size = sha256(value.data).hexdigest(), len(value.data)
    return value, Report(
        step.key,
        result.status,
        step.rule.kernel,
        result.seconds,
        attempts,
        started,
        memory,
        stored,
        digest,
        size,
        media_type,
        inline,
        as_line(value) if step.rule.goal else "",
        worker=context.worker,
        url=url,
        skeleton=encode_skeleton(value) if step.rule.goal and inline is None else None,
        voxels=result.voxels,
        not_finite=result.not_finite,
        geometry=_geometry(step, value),
        cpu_seconds=result.cpu_seconds,
        kept=stored == PutStatus.CREATED and not step.rule.must_store,
    )


def _geometry(step: Step, value: Value) -> str:
    """Return the geometry of an image that was loaded; empty for all else."""
    if step.rule.kind != StepKind.LOAD or not isinstance(value, Image):
        return ""
    return describe_geometry(value)


def _put(step: Step, result: StepResult, memory: int, context: TaskContext) -> PutResult | None:
    """Store a result if it must be stored or is worth it; None if it was not stored."""
    if context.store is None or not context.run.writes:
        return None
    policy = context.run.store_policy
    if step.rule.must_store:
        return _write(step, result, memory, context, context.store)
    if step.rule.cheap and policy != "all":
        return None
    seconds = keeping.recompute_seconds(step.key)
    if not keeping.is_worth_storing(policy, seconds, memory):
        return None
    if policy == "all":
        return _write(step, result, memory, context, context.store)
    if not context.budget.reserve(memory, context.run.store_bytes, context.run.kept_bytes):
        return None
    try:
        return _write(step, result, memory, context, context.store)
    finally:
        context.budget.release(memory)


def _write(
    step: Step, result: StepResult, memory: int, context: TaskContext, store: ResultStore
) -> PutResult | None:
    """Store a result; None if that fails and it need not be stored."""
    provenance = Provenance(
        kernel=step.rule.kernel,
        version=step.rule.version.number,
        code=step.rule.version.code or context.kernels.recorded_code(step.rule.kernel),
        ancestors=step.rule.ancestors,
        ancestor_codes=step.rule.ancestor_codes,
        libraries=context.kernels.libraries(step.rule.kernel),
        arguments=step.argument_keys,
        seconds=result.seconds,
        bytes=memory,
        created=context.clock.now(),
        voxk8s_version=constants.RELEASE,
        not_finite=result.not_finite,
    )
    key = ResultKey(step.key)
    begin = context.clock.elapsed()
    try:
        put = store.put(key, result.value, provenance, replace=context.run.replaces)
    except StoreError as error:
        if step.rule.must_store:
            raise
        logger.warning("cannot store the result of %s: %s", step.rule.kernel, error)
        return None
    keeping.record_stored(step.key)
    if not step.rule.must_store:
        size = put.size if put.status is PutStatus.CREATED else 0
        context.budget.stored(context.clock.elapsed() - begin, size)
    return put


def failure_report(
    step: Step,
    failed: Failed,
    status: Status,
    context: TaskContext,
    attempts: int,
    seconds: float,
    argument: str = "",
    started: float = 0.0,
) -> Report:
    """Return the report of a step without a value: it failed, or `argument` did."""
    return Report(
        step.key,
        status,
        step.rule.kernel,
        seconds,
        attempts,
        started,
        origin=failed.key,
        failure=failed.failure,
        worker=context.worker,
        argument=argument,
    )


def adopt_result(step: Step, value: Value, context: TaskContext) -> tuple[Value, Report]:
    """Store a value that the task of another run has computed, and report it as a goal's.

    That run may have stored it: then the stored value is used.
    """
    store = context.store
    if store is not None and context.run.writes:
        record = store.record(step.key)
        if record is not None and step.key in store.contains([step.key]):
            held = None if record.inline is None else read_value(record, memoryview(record.inline))
            if not isinstance(held, Miss):
                report = Report(
                    step.key,
                    Status.FOUND,
                    step.rule.kernel,
                    stored="exists",
                    digest=record.digest,
                    size=record.size,
                    media_type=record.media_type,
                    value=None if record.inline is None else encode_inline(held),
                    summary=record.summary or "",
                    worker=context.worker,
                    not_finite=record.provenance.not_finite,
                )
                return value if record.inline is None else held, report
    return store_result(step, StepResult(value, 0.0, Status.FOUND), context, 1, context.clock.now())
