"""Results of a plan that the store already has: read, copied to the output, put into the status."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from voxk8s.api.runner_status import encode_runner_status
from voxk8s.api.status import GoalResult, OperationCounts
from voxk8s.api.status_limits import json_value, printed_line, truncate_value
from voxk8s.api.workplan import encode
from voxk8s.cluster.copy_files import SavedFile, copy_files
from voxk8s.errors import InputNotAllowed
from voxk8s.inputs.input_options import InputOptions
from voxk8s.not_finite import NotFinite, not_finite
from voxk8s.plan import KeyConstant, KeyGraph, KeyOperation, Resolution
from voxk8s.plan.keys.not_finite_keys import origin_key
from voxk8s.storage import MISS, Record, ResultStore

MAX_COPIED_BYTES = 64 * 1024 * 1024
"""Sum of the sizes of files that the operator copies; each is held in memory to be verified."""


def initial_counts(found: Resolution) -> OperationCounts:
    """Return the counts of a run before it starts."""
    return OperationCounts(
        total=found.total,
        cached=found.cached,
        computed=0,
        failed=0,
        running=0,
        pending=len(found.compute),
    )


def known_results(
    graph: KeyGraph, found: Resolution, store: ResultStore, since: float = math.inf
) -> list[GoalResult] | None:
    """Return the results of all goals; None if one of them is not in the store.

    Values are as the store has them: not JSON, uncut. They were looked up after `since`, by the
    monotonic clock.
    """
    if not all(
        goal.key is not None
        and (goal.key in found.known or isinstance(graph.nodes[goal.key], KeyConstant))
        for goal in graph.goals
    ):
        return None
    keys = {goal.key for goal in graph.goals if goal.key is not None}
    records = store.records(keys & found.known, since)
    results: list[GoalResult] = []
    for goal in graph.goals:
        if goal.key is None:
            return None
        node = graph.nodes[goal.key]
        record = records.get(goal.key)
        if isinstance(node, KeyConstant):
            results.append(_printed(goal.goal.name, goal.operation, node.value))
        elif record is None:
            return None  # Deleted since the look-up: the operation is computed again.
        else:
            result = _stored(store, goal.goal.name, goal.operation, record)
            if result is None:
                return None
            said = _not_finite(store, node, record, result)
            results.append(msgspec.structs.replace(result, not_finite=said))
    return results


def copy_saved_files(
    results: Sequence[GoalResult], store: ResultStore, folder: str, options: InputOptions
) -> bool:
    """Copy saved files to a folder that `options` allow; whether all were copied.

    A runner copies what the operator does not: files to other places, large files, and files whose
    copy failed.
    """
    files = [result for result in results if result.kind == "save"]
    if sum(result.size_bytes or 0 for result in files) > MAX_COPIED_BYTES:
        return False

    def saved(result: GoalResult) -> SavedFile:
        digest = (result.digest or "").removeprefix("sha256:")
        return SavedFile(result.goal, lambda: store.read_blob(digest))

    try:
        return not copy_files([saved(result) for result in files], folder, options)
    except InputNotAllowed:
        return False


def final_status(
    results: Sequence[GoalResult], found: Resolution, store: ResultStore, run_folder: str
) -> dict[str, object]:
    """Return the runner's part of the status of a run that needs no runner.

    Results that do not fit into the status are written to the run's folder, as a runner does.
    """
    counts = initial_counts(found)
    part = encode_runner_status(
        operations=counts,
        progress=f"{found.total}/{found.total}",
        results=[_truncated(result) for result in results],
    )
    if "resultsOmitted" in part or any(result.get("truncated") for result in part["results"]):
        report = {
            "operations": encode(counts),
            "results": [encode(_whole(result)) for result in results],
        }
        url = store.write_run_file(
            f"{run_folder}/results.json", msgspec.json.encode(report), "application/json"
        )
        part["runURL"] = url.rpartition("/")[0]
    return part


def _printed(name: str, operation: str, value: object) -> GoalResult:
    return GoalResult(goal=name, kind="print", operation=operation, value=value)


def _whole(result: GoalResult) -> GoalResult:
    if result.kind == "save":
        return result
    return msgspec.structs.replace(result, value=json_value(result.value))


def _truncated(result: GoalResult) -> GoalResult:
    if result.kind == "save":
        return result
    value, truncated = truncate_value(result.value)
    line = printed_line(result.value)
    return msgspec.structs.replace(result, value=value, line=line, truncated=truncated or None)


def _not_finite(
    store: ResultStore, node: KeyOperation, record: Record, result: GoalResult
) -> str | None:
    """Return what a run has found out about a result that is not finite, None if it is finite."""
    found = record.provenance.not_finite
    if result.kind == "print" and not found:
        found = not_finite(result.value)
    if not found:
        return None
    said = NotFinite(result.goal, found)
    members = store.get(origin_key(node.arguments[0] if node.suffix is not None else node.key))
    return str(said.with_members(members) if isinstance(members, Mapping) else said)


def _stored(store: ResultStore, name: str, operation: str, record: Record) -> GoalResult | None:
    if record.is_file:
        return GoalResult(
            goal=name,
            kind="save",
            operation=operation,
            url=store.url_of_record(record),
            digest=f"sha256:{record.digest}",
            media_type=record.media_type,
            size_bytes=record.size,
        )
    value: object = record.summary
    if value is None:
        value = store.value_of(record)
        if value is MISS:
            return None
    printed = _printed(name, operation, value)
    return msgspec.structs.replace(printed, digest=f"sha256:{record.digest}")
