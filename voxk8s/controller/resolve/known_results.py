"""What a known plan's status says: results from the store's records, without computing anything."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from voxk8s.api import (
    GoalResult,
    OperationCounts,
    bound_results,
    encode,
    json_value,
    truncate_value,
)
from voxk8s.plan import KeyConstant, KeyGraph, Resolution
from voxk8s.storage import MISS, Record, ResultStore


def _is_known(graph: KeyGraph, found: Resolution) -> bool:
    """Say whether every goal has its result: constants do by themselves."""
    for goal in graph.goals:
        if goal.key is None:
            return False
        if goal.key not in found.known and not isinstance(graph.nodes[goal.key], KeyConstant):
            return False
    return True


def counts(found: Resolution) -> OperationCounts:
    """Give the counts of a run that has not begun."""
    return OperationCounts(
        total=found.total,
        cached=found.cached,
        computed=0,
        failed=0,
        running=0,
        pending=len(found.compute),
    )


def known_results(
    graph: KeyGraph, found: Resolution, store: ResultStore
) -> list[GoalResult] | None:
    """Give the whole results of a plan without work; None where some is left."""
    if not _is_known(graph, found):
        return None
    keys = {goal.key for goal in graph.goals if goal.key is not None}
    records = store.records(keys & found.known)
    whole: list[GoalResult] = []
    for goal in graph.goals:
        if goal.key is None:
            return None
        node = graph.nodes[goal.key]
        record = records.get(goal.key)
        if isinstance(node, KeyConstant):
            whole.append(_printed(goal.goal.name, goal.operation, node.value))
        elif record is None:
            return None  # gone since we looked: it is computed again
        else:
            result = _stored(store, goal.goal.name, goal.operation, record)
            if result is None:
                return None
            whole.append(result)
    return whole


def completed_status(
    whole: Sequence[GoalResult], found: Resolution, store: ResultStore, run_folder: str
) -> dict[str, object]:
    """Give the runner's part of the status of a run without work.

    What does not fit into a status is written whole to the run's folder, as a runner does.
    """
    shown, omitted = bound_results([_cut(result) for result in whole])
    part: dict[str, object] = {
        "operations": encode(counts(found)),
        "progress": f"{found.total}/{found.total}",
        "results": [encode(result) for result in shown],
    }
    if omitted:
        part["resultsOmitted"] = omitted
    if omitted or any(result.truncated for result in shown):
        report = {"operations": part["operations"], "results": [encode(each) for each in whole]}
        url = store.write_run_file(
            f"{run_folder}/results.json", msgspec.json.encode(report), "application/json"
        )
        part["runURL"] = url.rpartition("/")[0]
    return part


def _printed(name: str, operation: str, value: object) -> GoalResult:
    return GoalResult(goal=name, kind="print", operation=operation, value=json_value(value))


def _cut(result: GoalResult) -> GoalResult:
    if result.kind == "save":
        return result
    value, cut = truncate_value(result.value)
    return msgspec.structs.replace(result, value=value, truncated=cut or None)


def _stored(store: ResultStore, name: str, operation: str, record: Record) -> GoalResult | None:
    if record.is_file:
        return GoalResult(
            goal=name,
            kind="save",
            operation=operation,
            url=store.url_of(record.digest),
            digest=f"sha256:{record.digest}",
            media_type=record.media_type,
            size_bytes=record.size,
        )
    value: object = record.summary
    if value is None:
        value = store.get(record.key)
        if value is MISS:
            return None
    printed = _printed(name, operation, value)
    return msgspec.structs.replace(printed, digest=f"sha256:{record.digest}")
