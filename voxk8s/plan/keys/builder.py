"""From a plan to its key graph: result keys, inputs, loops, save goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from typing import cast

from voxk8s.errors import InvalidPlan
from voxk8s.plan import model
from voxk8s.plan.document.validate import MAX_LOOP_DEPTH
from voxk8s.plan.gc_pause import without_gc
from voxk8s.plan.graph import Cycle
from voxk8s.plan.identity import closure_id, operation_id
from voxk8s.plan.kernel_version import KernelVersion, UnknownKernelVersion, numbered
from voxk8s.plan.keys import partial_keys, result_keys
from voxk8s.plan.keys.aligned_items import aligned
from voxk8s.plan.keys.choices import key_of_choice, key_of_kept
from voxk8s.plan.keys.input_keys import key_of_input
from voxk8s.plan.keys.key_graph import KeyGoal, KeyGraph, KeyOperation, Values
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.loops import key_of_loop
from voxk8s.plan.keys.partial_keys import BoundClosure, PartialKey, Scope, ScopeLayout
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import SAVE_KERNEL, file_suffix, kernel_tail
from voxk8s.plan.keys.sequence_gaps import gaps_of_value
from voxk8s.plan.keys.sequence_items import indexed_item, spelled_items
from voxk8s.plan.model import Goal, Node, OperationId, ResultKey, WorkPlan
from voxk8s.plan.sequence_kernels import CHOOSE, INDEX, KEEP, RANGE, SEQUENCE, SUBSEQUENCE
from voxk8s.plan.signature import KernelIndex, Role, Signature, takes_geometry
from voxk8s.plan.visible_kernels import VisibleKernels

_STRUCTURAL = frozenset({SEQUENCE, RANGE, INDEX, SUBSEQUENCE, CHOOSE, KEEP})
"""Kernels whose items, or whose choice of an item, a plan may spell out."""


@without_gc()
def key_graph(
    plan: WorkPlan,
    index: KernelIndex,
    pins: Mapping[OperationId, Pin] | None = None,
    skipped: Set[OperationId] | None = None,
) -> KeyGraph:
    """Return the key graph of a plan: every operation that its goals need, by result key.

    `pins` are those of inputs, by the ids of `inputs` and `KeyGraph.unpinned`. Loops leave out the
    items whose results have the ids `skipped`; it is None if they may not. Raises InvalidPlan for
    faults that only show here: too many operations in loops, geometry that depends on itself.
    """
    table = KeyTable(VisibleKernels(index, plan.imports), dict(pins or {}), {}, skipped)
    return KeyGraphBuilder(plan, table).graph()


@without_gc()
def expand(
    graph: KeyGraph,
    values: Values | None = None,
    pins: Mapping[OperationId, Pin] | None = None,
) -> KeyGraph:
    """Return the larger graph that more values and pins allow; existing keys stay as they are.

    `values` are those of pivots of `graph.deferred`; of a sequence only its length and its scalar
    items matter. `pins` are those of inputs in `graph.unpinned`.
    """
    return graph.expanded(values or {}, pins or {})


def grow(
    graph: KeyGraph,
    pin: Callable[[Sequence[InputRef]], Mapping[OperationId, Pin]],
    values_of: Callable[[KeyGraph, Sequence[ResultKey]], Mapping[ResultKey, object]],
) -> KeyGraph:
    """Expand a graph until no more pins and values of pivots are known.

    `pin` returns the pins of inputs, `values_of` the values of pivots, each as far as known. No
    input and no pivot is asked for twice. A pinned listing or the value of a pivot may expand a
    loop, whose operations may again be inputs or depend on pivots.
    """
    asked: set[str] = set()
    while True:
        refs = [ref for name, ref in graph.unpinned.items() if name not in asked]
        pivots = list(
            dict.fromkeys(each.pivot for each in graph.deferred if each.pivot not in asked)
        )
        asked.update(ref.id for ref in refs)
        asked.update(pivots)
        pins = pin(refs) if refs else {}
        values = values_of(graph, pivots) if pivots else {}
        if not pins and not values:
            return graph
        graph = expand(graph, values, pins)


def inputs(plan: WorkPlan, index: KernelIndex) -> tuple[InputRef, ...]:
    """Return the inputs with known addresses that the goals need."""
    return tuple(key_graph(plan, index).unpinned.values())


class KeyGraphBuilder:
    """Builds one key graph, and keeps what is needed to expand it."""

    def __init__(self, plan: WorkPlan, table: KeyTable) -> None:
        self._plan = plan
        self._table = table
        self._signatures: dict[str, Signature] = {}
        self._layouts: dict[OperationId, ScopeLayout] = {}

    def expand(self, values: Values, pins: Mapping[OperationId, Pin]) -> KeyGraph:
        """Build the graph again with more values and pins; all keys are kept."""
        return KeyGraphBuilder(self._plan, self._table.extended(pins, values)).graph()

    def graph(self) -> KeyGraph:
        """Create all keys and return the graph of what the goals need."""
        goals = self._plan.goals
        table = self._table
        try:
            self._prepare(self._plan.nodes, 0)
            layout = ScopeLayout(
                self._plan.nodes, [goal.id for goal in goals], self._signatures, self._layouts
            )
            self._make_all(layout)
        except KeyError as error:
            raise InvalidPlan(
                f"the plan has no node {error.args[0]}, which another node needs"
            ) from error
        except Cycle as cycle:
            raise InvalidPlan(
                f"operation {cycle.members[0]} depends on itself: its geometry is that of the"
                " images that the plan loads; give it an image as argument"
            ) from cycle
        key_goals = tuple([self._goal(goal) for goal in goals])
        found = partial_keys.waiting_for([table.partial[goal.id] for goal in goals])
        waiting = found.pending.keys()
        files = {
            (table.partial[goal.id].id, file_suffix(goal.name))
            for goal in goals
            if goal.operation == "save" and table.partial[goal.id].key is None
        }
        return KeyGraph(
            nodes=table.nodes,
            goals=key_goals,
            unpinned={name: ref for name, ref in table.unpinned.items() if name in waiting},
            deferred=tuple([each for name, each in table.deferred.items() if name in waiting]),
            rejected={name: text for name, text in table.rejected.items() if name in waiting},
            pending=found.pending,
            keyless=len(waiting) + len(files),
            extra_needs=found.needs,
            given=tuple([key for key in table.values if key in table.nodes]),
            partial=table.partial,
            sources=table.sources,
            loops=table.loops,
            expanded=self.expand,
        )

    # --- goals --------------------------------------------------------------------------------

    def _goal(self, goal: Goal) -> KeyGoal:
        table = self._table
        partial = table.partial[goal.id]
        if partial.key is None or goal.operation == "print":
            return KeyGoal(goal, partial.key, partial.id)
        signature = table.kernels.index.find(SAVE_KERNEL, ())
        version = result_keys.SAVE_VERSION if signature is None else signature.version
        suffix = file_suffix(goal.name)
        key = result_keys.save_key(version, suffix, partial.key)
        if key not in table.nodes:
            table.nodes[key] = KeyOperation(
                key,
                SAVE_KERNEL,
                numbered(version),
                (partial.key,),
                goal.id,
                Role.SAVE,
                None,
                suffix,
            )
        return KeyGoal(goal, key, partial.id)

    # --- scopes -------------------------------------------------------------------------------

    def _prepare(self, nodes: Mapping[OperationId, Node], depth: int) -> None:
        """Find the kernels of a scope and lay out the bodies in it, the inner ones first."""
        if depth > MAX_LOOP_DEPTH:
            raise InvalidPlan(f"loops are nested deeper than {MAX_LOOP_DEPTH}")
        for node in nodes.values():
            if isinstance(node, model.Operation):
                if node.operator not in self._signatures:
                    path = f"$.nodes.{node.id}.operator"
                    signature = self._table.kernels.require(node.operator, path)
                    self._signatures[node.operator] = signature
            elif isinstance(node, model.Closure) and node.id not in self._layouts:
                self._prepare(node.nodes, depth + 1)
                self._layouts[node.id] = ScopeLayout(
                    node.nodes, [node.result], self._signatures, self._layouts
                )

    def _make_all(self, layout: ScopeLayout) -> None:
        """Create the keys of the plan's own nodes, with a fast path for plain operations."""
        partial = self._table.partial
        nodes = self._table.nodes
        scope = Scope(layout, partial)
        plain = self._plain_kernels()
        for node in layout.order:
            name = node.id
            if name in partial:
                continue
            if type(node) is model.Constant:
                self._table.constant(node.value, name)
                continue
            if type(node) is not model.Operation or node.operator not in plain:
                self._make(node, name, scope)
                continue
            keys = tuple([partial[argument].key for argument in node.arguments])
            if None in keys:
                self._make(node, name, scope)
                continue
            known = cast("tuple[ResultKey, ...]", keys)
            qualified, version, tail = plain[node.operator]
            key = result_keys.operation_key(tail, known)
            partial[name] = PartialKey(name, key)
            if key not in nodes:
                nodes[key] = KeyOperation(key, qualified, version, known, name)

    def _plain_kernels(self) -> dict[str, tuple[str, KernelVersion, str]]:
        """Return name, version and key tail of the kernels that need nothing but their arguments.

        They are by the name that the plan uses; those whose version is not known are left out.
        """
        found: dict[str, tuple[str, KernelVersion, str]] = {}
        if self._table.skipped:
            return found  # each argument may be a sequence without items that are skipped
        for operator, signature in self._signatures.items():
            if signature.role is Role.COMPUTE and signature.qualified not in _STRUCTURAL:
                with suppress(UnknownKernelVersion):
                    version = self._table.kernels.version_of(signature)
                    tail = kernel_tail(signature.qualified, version)
                    found[operator] = (signature.qualified, version, tail)
        return found

    def _make(self, node: Node, name: OperationId | None, scope: Scope) -> PartialKey:
        """Create a node's key; `name` is None in a loop, where the items change the id."""
        if isinstance(node, model.Operation):
            arguments = [scope.keys[argument] for argument in node.arguments]
            partial = self._operation(node.operator, arguments, name, scope)
            if name is None and partial.id != node.id:
                self._table.sources.setdefault(partial.id, node.id)
        elif isinstance(node, model.Constant):
            partial = self._table.constant(node.value, node.id)
        elif isinstance(node, model.Closure):
            partial = self._closure(node, name, scope)
        else:
            raise InvalidPlan(f"parameter {node.name!r} is not bound by a closure")
        scope.keys[node.id] = partial
        return partial

    def _closure(self, node: model.Closure, name: OperationId | None, scope: Scope) -> PartialKey:
        layout = self._layouts[node.id]
        captures = {each: scope.keys[outer] for each, outer in node.captures.items()}
        if name is None:
            ids = {each: captured.id for each, captured in captures.items()}
            name = closure_id(node.variable, ids, node.result)
            if layout.borrows:
                images, of_plan = scope.images()
                if not of_plan:  # the images that give the body's geometry are captured too
                    name = operation_id("", [name, *[image.id for image in images]])
        # Never shared by id: equal closures may stand in scopes that load other images.
        return PartialKey(name, None, closure=BoundClosure(node, layout, captures, scope))

    def _apply(self, bound: BoundClosure, item: PartialKey) -> PartialKey:
        """Evaluate a closure's body for one item."""
        closure = bound.closure
        scope = Scope(bound.layout, {}, bound.scope)
        for node in bound.layout.order:
            if isinstance(node, model.Parameter):
                variable = node.name == closure.variable
                scope.keys[node.id] = item if variable else bound.captures[node.name]
            else:
                self._make(node, None, scope)
        return scope.keys[closure.result]

    # --- operations ---------------------------------------------------------------------------

    def _operation(
        self, operator: str, arguments: list[PartialKey], name: OperationId | None, scope: Scope
    ) -> PartialKey:
        table = self._table
        signature = self._signatures[operator]
        if takes_geometry(signature, len(arguments)):
            images, of_plan = scope.images()
            if name is None:
                own = arguments if of_plan else [*arguments, *images]
                name = operation_id(operator, [each.id for each in own])
            # The same image under two names is one image.
            distinct: dict[str, PartialKey] = {}
            for each in images:
                distinct.setdefault(each.key or each.id, each)
            arguments = [*arguments, *distinct.values()]
        elif name is None:
            name = operation_id(operator, [each.id for each in arguments])
        partial = table.partial.get(name)
        if partial is None:
            role = signature.role
            if role is Role.LOAD or role is Role.LISTING:
                partial = key_of_input(table, operator, signature, arguments, name)
            elif role is Role.MAP or role is Role.FOLD:
                partial = key_of_loop(table, role, arguments, name, self._apply)
            elif signature.qualified == CHOOSE:
                partial = key_of_choice(table, arguments, name)
            elif signature.qualified == KEEP:
                partial = key_of_kept(table, arguments, name)
            else:
                partial = self._computed(signature, arguments, name)
            table.partial[name] = partial
        return partial

    def _computed(
        self, signature: Signature, arguments: Sequence[PartialKey], name: OperationId
    ) -> PartialKey:
        """Return the key of an operation that its kernel computes."""
        if (
            signature.qualified == INDEX
            and (item := indexed_item(self._table, arguments)) is not None
        ):
            return item
        gaps: tuple[int, ...] | str = ()
        if self._table.skipped:
            gaps = gaps_of_value(signature.qualified, arguments)
            alike = aligned(self._table, signature.qualified, arguments)
            gaps, arguments = (alike, ()) if isinstance(alike, str) else (gaps, alike)
        if isinstance(gaps, str):
            return self._table.reject(name, gaps)
        items = spelled_items(self._table, signature.qualified, arguments)
        return self._table.operation(signature, arguments, name, items, gaps)
