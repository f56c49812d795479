"""The graph of a run's operations for its report, those of one place in a program as one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from voxk8s import report
from voxk8s.execution.result import ExecutionResult
from voxk8s.kernels.registry import registry
from voxk8s.plan import KeyGraph, KeyOperation, OperationId, ResultKey, WorkPlan
from voxk8s.plan.graph import topological_order
from voxk8s.plan.model import Closure, Operation

MOST_NODES: Final = 200
"""Largest number of nodes that are drawn: beyond it operations are summed up."""
_STATES: Final = ("computed", "known", "failed", "skipped", "rest")
_Group: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Member:
    """One operation; `arguments` are the names of others, which come before it.

    `name` is the result key, or the id of an operation that has none. `source` is the node of the
    plan that it was made from.
    """

    name: str
    operation: OperationId
    source: OperationId
    kernel: str
    suffix: str
    place: str
    arguments: tuple[str, ...]
    in_loop: bool
    state: str = "rest"
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """Return the place without its column."""
        return self.place.rpartition(":")[0]


@dataclass(slots=True)
class _Node:
    """What is known of the operations that are drawn as one."""

    kernel: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_STATES, 0))
    seconds: float = 0.0
    places: set[str] = field(default_factory=set)

    def add(self, member: _Member) -> None:
        self.counts[member.state] += 1
        self.seconds += member.seconds
        self.places.add(member.place)

    def drawn(self) -> report.GraphNode:
        counts = self.counts
        return report.GraphNode(
            self.kernel,
            _common(self.places),
            computed=counts["computed"],
            known=counts["known"],
            failed=counts["failed"],
            rest=counts["rest"],
            seconds=self.seconds,
            skipped=counts["skipped"],
        )


def operation_graph(
    result: ExecutionResult,
    places: Mapping[OperationId, object],
    *,
    plan: WorkPlan | None = None,
    earlier: Iterable[report.Operation] = (),
    most: int = MOST_NODES,
) -> report.Graph:
    """Return the graph with at most `most` nodes, each after its arguments where there is no cycle.

    The operations of a loop's body have a node each, whatever the number of items. If that is too
    many, those of one kernel and line are one node, or those of one kernel and loop, or those of
    one kernel.

    Operations without a result key, such as inputs that could not be read, have their kernels from
    the `plan`. `earlier` are operations of earlier passes of the run, which went on without the
    items that failed.
    """
    graph = result.graph
    if graph is None:
        return report.Graph()
    members = list(_members(graph, result, places, plan, earlier))
    ways: tuple[tuple[str, Callable[[_Member], _Group]], ...] = (
        ("", lambda each: (each.source, each.suffix, each.kernel)),
        ("by kernel and line", lambda each: (each.kernel, each.line)),
        ("by kernel and loop", lambda each: (each.kernel, each.line * each.in_loop)),
        ("by kernel", lambda each: (each.kernel,)),
    )
    goals = [each.key or each.operation for each in result.goals]
    for summary, group_of in ways:
        found = _grouped(members, group_of, goals, summary)
        if len(found.nodes) <= most:
            break
    if len(found.nodes) > most:
        edges = tuple(edge for edge in found.edges if max(edge) < most)
        rest = len(found.nodes) - most
        shown = {name: node for name, node in found.members.items() if node < most}
        return report.Graph(
            found.nodes[:most],
            edges,
            f"{found.summary}; {rest} are left out",
            shown,
            tuple(None if each is None or each >= most else each for each in found.goals),
        )
    return found


def _members(
    graph: KeyGraph,
    result: ExecutionResult,
    places: Mapping[OperationId, object],
    plan: WorkPlan | None,
    earlier: Iterable[report.Operation],
) -> Iterator[_Member]:
    """Yield the operations of a run, each after its arguments."""
    state_of = _States(result, earlier)

    def member(
        name: str,
        operation: OperationId,
        kernel: str,
        arguments: tuple[str, ...],
        suffix: str = "",
        location: OperationId | None = None,
    ) -> _Member:
        source = graph.source_of(operation)
        place = next((each for each in (location, operation, source) if each in places), None)
        return _Member(
            name,
            operation,
            source,
            kernel,
            suffix,
            "" if place is None else str(places[place]),
            arguments,
            operation in graph.sources,
            *state_of(name, operation, kernel, arguments),
        )

    for key, node in graph.nodes.items():
        if isinstance(node, KeyOperation):
            yield member(
                key,
                node.operation,
                node.kernel,
                node.arguments,
                node.suffix or "",
                node.location_id,
            )
    kernels = {} if plan is None else _kernels(plan)
    for operation in _keyless(graph, {each.operation for each in state_of.failures}):
        kernel = kernels.get(graph.source_of(operation))
        if kernel is not None:
            partial = graph.partial[operation]
            waits = tuple([each.key or each.id for each in partial.waits])
            yield member(operation, operation, kernel, (*partial.needs, *waits))


class _States:
    """Finds the state of operations, that of each after those of its arguments."""

    def __init__(self, result: ExecutionResult, earlier: Iterable[report.Operation]) -> None:
        self._metrics = result.by_key
        skipped = [each.failure for each in result.skipped]
        self.failures = (*result.failures, *skipped)
        self._failed = {(each.operation, each.kernel) for each in self.failures}
        self._left_out = {(each.operation, each.kernel) for each in skipped}
        self._earlier = {
            (each.operation, each.kernel): each.seconds for each in earlier if not each.failed
        }
        self._below: set[str] = set()
        """Names of the operations that need one which made a loop skip an item."""

    def __call__(
        self, name: str, operation: OperationId, kernel: str, arguments: Iterable[str]
    ) -> tuple[str, float]:
        """Return the state of an operation and its seconds in the run."""
        metrics, which = self._metrics.get(ResultKey(name)), (operation, kernel)
        if metrics is not None and not metrics.failed:
            return ("known" if metrics.cached else "computed"), metrics.seconds
        if which in self._left_out or not self._below.isdisjoint(arguments):
            self._below.add(name)
        if metrics is not None or which in self._failed:
            return "failed", 0.0 if metrics is None else metrics.seconds
        if name in self._below:
            return "skipped", 0.0
        if which in self._earlier:
            return "computed", self._earlier[which]
        return "rest", 0.0


def _keyless(graph: KeyGraph, failed: set[OperationId]) -> list[OperationId]:
    """Return operations without a key that goals need, or that need one that failed, in order."""
    waits = {
        name: [each.id for each in partial.waits]
        for name, partial in graph.partial.items()
        if partial.key is None and partial.closure is None
    }
    wanted = set(graph.pending)
    order = topological_order(waits)
    for name in order:
        if name in failed or not wanted.isdisjoint(waits[name]):
            wanted.add(name)
    return [name for name in order if name in wanted]


def _kernels(plan: WorkPlan) -> Mapping[OperationId, str]:
    """Return the kernels of a plan's operations, those of loops' bodies included."""
    found: dict[OperationId, str] = {}
    kernels, scopes = registry(), [plan.nodes]
    while scopes:
        for name, node in scopes.pop().items():
            if isinstance(node, Operation):
                signature = kernels.find(node.operator, plan.imports)
                found[name] = node.operator if signature is None else signature.qualified
            elif isinstance(node, Closure):
                scopes.append(node.nodes)
    return found


def _grouped(
    members: Iterable[_Member],
    group_of: Callable[[_Member], _Group],
    goals: Iterable[str],
    summary: str,
) -> report.Graph:
    numbers: dict[_Group, int] = {}
    nodes: list[_Node] = []
    node_of: dict[str, int] = {}
    operations: dict[tuple[OperationId, str], int] = {}
    edges: dict[tuple[int, int], None] = {}
    for each in members:
        number = numbers.setdefault(group_of(each), len(nodes))
        if number == len(nodes):
            nodes.append(_Node(each.kernel))
        nodes[number].add(each)
        node_of[each.name] = number
        operations.setdefault((each.operation, each.kernel), number)
        for argument in each.arguments:
            source = node_of.get(argument)
            if source is not None and source != number:
                edges[source, number] = None
    return report.Graph(
        tuple(each.drawn() for each in nodes),
        tuple(edges),
        summary,
        operations,
        tuple(node_of.get(each) for each in goals),
    )


def _common(places: set[str]) -> str:
    """Return the place that several operations share, or their line; empty if there is none."""
    if len(places) == 1:
        return next(iter(places))
    lines = {place.rpartition(":")[0] for place in places}
    return next(iter(lines)) if len(lines) == 1 else ""
