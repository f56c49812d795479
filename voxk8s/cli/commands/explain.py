"""`voxk8s explain`: print what a run would compute, and why."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voxk8s.cli.input_file import read_plan
from voxk8s.cli.named_store import open_named_store
from voxk8s.cli.permissions import permissions
from voxk8s.cli.run_output import dump
from voxk8s.describe import Json
from voxk8s.execution import RetryPolicy
from voxk8s.execution.run.pin_inputs import digest_locally, pin_inputs
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import (
    InputRef,
    KeyConstant,
    KeyGraph,
    KeyOperation,
    OperationId,
    Pin,
    Resolution,
    ResultKey,
    WorkPlan,
    grow,
    key_graph,
    resolve,
)
from voxk8s.redact import redact, visible
from voxk8s.settings import Settings
from voxk8s.storage import MISS, ResultStore


@dataclass(frozen=True, slots=True)
class Line:
    """The line of one operation; `state` is known, compute, unneeded, waits or fails."""

    operation: str
    kernel: str
    state: str
    why: str
    key: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Resolve a plan against the store and print the resolution; compute nothing."""
    store = open_named_store(arguments)
    answered = store.ping()
    plan = read_plan(arguments)
    answered()
    options = permissions(arguments).check_plan(plan, InputOptions.from_env(os.environ))
    graph, reasons = _grown(plan, store, options)
    resolution = resolve(graph, lambda keys: {ResultKey(k) for k in store.contains(keys)})
    lines = explain(graph, resolution, reasons)
    if arguments.json:
        print(dump(_json(lines, resolution)))
        return 0
    for line in lines:
        if line.state == "unneeded" and not arguments.all:
            continue
        text = f"{line.state:<9} {line.operation[:12]} {line.kernel:<24} {line.why}"
        print(visible(redact(text)))
    stuck = resolution.waiting
    word = "operation" if resolution.total == 1 else "operations"
    print(
        f"{resolution.total} {word}: {resolution.cached} known,"
        f" {len(resolution.compute)} to compute, {resolution.skipped} not needed"
        + (f", {stuck} not known yet or failing" if stuck else "")
    )
    return 0


def _grown(
    plan: WorkPlan, store: ResultStore, options: InputOptions
) -> tuple[KeyGraph, dict[str, str]]:
    """Return the key graph, expanded by inputs and stored results, and errors of other inputs.

    A listing or a stored sequence gives the items of a loop, and these may be inputs again.
    """
    retry = RetryPolicy.from_settings(Settings.from_env(os.environ))
    reasons: dict[str, str] = {}

    def pin_all(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        pinned = pin_inputs(
            refs, options, store, lambda urls: digest_locally(urls, options, retry), retry
        )
        reasons.update({operation: str(error) for operation, error in pinned.errors.items()})
        return pinned.pins

    def values_of(_: KeyGraph, pivots: Sequence[ResultKey]) -> Mapping[ResultKey, object]:
        values = {pivot: store.get(pivot) for pivot in pivots}
        return {pivot: value for pivot, value in values.items() if value is not MISS}

    return grow(key_graph(plan, registry()), pin_all, values_of), reasons


def explain(graph: KeyGraph, resolution: Resolution, reasons: dict[str, str]) -> list[Line]:
    """Return what a run would do with every operation; `reasons`: errors of unpinned inputs."""
    compute = frozenset(resolution.compute)
    lines = []
    for key, node in graph.nodes.items():
        if isinstance(node, KeyConstant):
            continue
        state, why = _fate(graph, node, compute, resolution.known)
        lines.append(Line(node.operation, node.kernel, state, why, key))
    for operation, ref in graph.unpinned.items():
        why = reasons.get(str(operation), "its input is not pinned")
        lines.append(Line(operation, ref.operator or ref.role.value, "waits", why))
    for deferred in graph.deferred:
        why = f"needs the value of {deferred.pivot[:12]}"
        lines.append(Line(deferred.operation, "", "waits", why))
    for operation, message in graph.rejected.items():
        lines.append(Line(operation, "", "fails", message))
    return lines


def _fate(
    graph: KeyGraph,
    node: KeyOperation,
    compute: frozenset[ResultKey],
    known: frozenset[ResultKey],
) -> tuple[str, str]:
    if node.key in known:
        return "known", "the store holds its result"
    if node.key not in compute:
        return "unneeded", "all results that need it are known"
    new = [key for key in node.arguments if key in compute]
    if new:
        names = ", ".join(_name(graph, key) for key in new[:3])
        more = f" and {len(new) - 3} more" if len(new) > 3 else ""
        return "compute", f"no result for these arguments: {names}{more} must be computed, too"
    if node.pin is not None:
        return "compute", f"no result for this content: sha256:{node.pin.digest[:12]}"
    return "compute", f"no result of version {node.version} for these arguments"


def _name(graph: KeyGraph, key: ResultKey) -> str:
    node = graph.nodes[key]
    return f"{node.kernel} {node.operation[:8]}" if isinstance(node, KeyOperation) else "constant"


def _json(lines: list[Line], resolution: Resolution) -> dict[str, Json]:
    return {
        "operations": [
            {
                "operation": line.operation,
                "kernel": line.kernel,
                "state": line.state,
                "why": line.why,
                "key": line.key,
            }
            for line in lines
        ],
        "total": resolution.total,
        "known": resolution.cached,
        "compute": len(resolution.compute),
        "unneeded": resolution.skipped,
        "waiting": resolution.waiting,
    }
