"""The graph of a run's operations for its report, those of one place in a program as one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from voxk8s import report
from voxk8s.execution.result import ExecutionResult, OperationMetrics
from voxk8s.plan import KeyGraph, KeyOperation, OperationId, ResultKey

MOST_NODES: Final = 200
"""Largest number of nodes that are drawn: beyond it operations are summed up."""
_Group: TypeAlias = tuple[str, ...]


def operation_graph(
    result: ExecutionResult, places: Mapping[OperationId, object], most: int = MOST_NODES
) -> report.Graph:
    """Return the graph with at most `most` nodes, each after its arguments where there is no cycle.

    The operations of a loop's body have a node each, whatever the number of items. If that is too
    many, those of one kernel and line are one node, or those of one kernel and loop, or those of
    one kernel.
    """
    graph = result.graph
    if graph is None:
        return report.Graph()

    def line(node: KeyOperation) -> str:
        return _place(graph, node, places).rpartition(":")[0]

    ways: tuple[tuple[str, Callable[[KeyOperation], _Group]], ...] = (
        ("", lambda node: (graph.source_of(node.operation), node.suffix or "", node.kernel)),
        ("by kernel and line", lambda node: (node.kernel, line(node))),
        ("by kernel and loop", lambda node: (node.kernel, line(node) * _in_loop(graph, node))),
        ("by kernel", lambda node: (node.kernel,)),
    )
    for summary, group_of in ways:
        found = _grouped(graph, group_of, result.by_key, places, summary)
        if len(found.nodes) <= most:
            break
    if len(found.nodes) > most:
        edges = tuple(edge for edge in found.edges if max(edge) < most)
        rest = len(found.nodes) - most
        return report.Graph(found.nodes[:most], edges, f"{found.summary}; {rest} are left out")
    return found


def _in_loop(graph: KeyGraph, node: KeyOperation) -> bool:
    return node.operation in graph.sources


def _place(graph: KeyGraph, node: KeyOperation, places: Mapping[OperationId, object]) -> str:
    for operation in (node.location_id, node.operation, graph.source_of(node.operation)):
        if operation in places:
            return str(places[operation])
    return ""


def _grouped(
    graph: KeyGraph,
    group_of: Callable[[KeyOperation], _Group],
    metrics: Mapping[ResultKey, OperationMetrics],
    places: Mapping[OperationId, object],
    summary: str,
) -> report.Graph:
    numbers: dict[_Group, int] = {}
    members: dict[str, int] = {}
    counts: list[list[int]] = []
    seconds: list[float] = []
    firsts: list[KeyOperation] = []
    wheres: list[set[str]] = []
    edges: dict[tuple[int, int], None] = {}
    for key, node in graph.nodes.items():
        if not isinstance(node, KeyOperation):
            continue
        number = numbers.setdefault(group_of(node), len(firsts))
        if number == len(firsts):
            firsts.append(node)
            counts.append([0, 0, 0, 0])
            seconds.append(0.0)
            wheres.append(set())
        members[key] = number
        each = metrics.get(key)
        counts[number][_state(each)] += 1
        seconds[number] += 0.0 if each is None else each.seconds
        wheres[number].add(_place(graph, node, places))
        for argument in node.arguments:
            source = members.get(argument)
            if source is not None and source != number:
                edges[source, number] = None
    return report.Graph(
        tuple(
            report.GraphNode(
                first.kernel, _common(where), count[0], count[1], count[2], count[3], spent
            )
            for first, where, count, spent in zip(firsts, wheres, counts, seconds, strict=True)
        ),
        tuple(edges),
        summary,
    )


def _state(metrics: OperationMetrics | None) -> int:
    """Return the index of a state: computed, known, failed, or none of these."""
    if metrics is None:
        return 3
    return 2 if metrics.failed else int(metrics.cached)


def _common(places: set[str]) -> str:
    """Return the place that several operations share, or their line; empty if there is none."""
    if len(places) == 1:
        return next(iter(places))
    lines = {place.rpartition(":")[0] for place in places}
    return next(iter(lines)) if len(lines) == 1 else ""
