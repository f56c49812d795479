"""From a plan to its key graph: result keys, inputs, loops, save goals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from voxk8s.errors import InvalidPlan
from voxk8s.plan import sequence_kernels
from voxk8s.plan.canonical import quote
from voxk8s.plan.document.validate import MAX_LOOP_DEPTH
from voxk8s.plan.gc_pause import without_gc
from voxk8s.plan.graph import Cycle
from voxk8s.plan.identity import closure_id, constant_id, operation_id, quoted_operation_id
from voxk8s.plan.keys.input_keys import External
from voxk8s.plan.keys.key_graph import (
    Deferred,
    KeyConstant,
    KeyGoal,
    KeyGraph,
    KeyNode,
    KeyOperation,
)
from voxk8s.plan.keys.loops import Loops
from voxk8s.plan.keys.partial_keys import BoundClosure, Layout, PartialKey, Scope, waiting_from
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import (
    SAVE_KERNEL,
    SAVE_VERSION,
    constant_key,
    file_suffix,
    kernel_tail,
    operation_key,
    save_key,
)
from voxk8s.plan.keys.sequence_items import STRUCTURAL, Items
from voxk8s.plan.model import (
    Closure,
    Constant,
    Goal,
    Node,
    Operation,
    OperationId,
    Parameter,
    ResultKey,
    Scalar,
    WorkPlan,
)
from voxk8s.plan.signature import KernelIndex, Role, Signature, takes_geometry
from voxk8s.plan.visible_kernels import VisibleKernels

Values = Mapping[ResultKey, object]
"""Values of pivots; items that are no scalars may be any placeholder."""


@without_gc
def key_graph(
    plan: WorkPlan, index: KernelIndex, pins: Mapping[OperationId, Pin] | None = None
) -> KeyGraph:
    """Give every operation that the goals need its result key.

    `pins` says what inputs are, by the ids of `inputs` and `KeyGraph.unpinned`. Raises InvalidPlan
    for what only shows now: too many operations in loops, or geometry that needs itself.
    """
    return Lowering(plan, index, dict(pins or {}), {}).graph()


@without_gc
def expand(
    graph: KeyGraph,
    values: Values | None = None,
    pins: Mapping[OperationId, Pin] | None = None,
) -> KeyGraph:
    """Give the larger graph that more knowledge allows; keys that exist stay as they are.

    `values` are those of pivots of `graph.deferred`; of a sequence only length and scalar items
    matter. `pins` are those of inputs in `graph.unpinned`.
    """
    return graph.origin.grow(values or {}, pins or {})


def inputs(plan: WorkPlan, index: KernelIndex) -> tuple[InputRef, ...]:
    """List the inputs with known addresses that the goals need."""
    return tuple(key_graph(plan, index).unpinned.values())


class Lowering:
    """The making of one key graph, kept so that it can grow."""

    def __init__(
        self,
        plan: WorkPlan,
        index: KernelIndex,
        pins: Mapping[OperationId, Pin],
        values: Values,
    ) -> None:
        self.plan = plan
        self.kernels = VisibleKernels(index, plan.imports)
        self.pins = pins
        self.values = values
        self.terms: dict[OperationId, PartialKey] = {}
        self.nodes: dict[ResultKey, KeyNode] = {}
        self.deferred: dict[OperationId, Deferred] = {}
        self.rejected: dict[OperationId, str] = {}
        self.sources: dict[OperationId, OperationId] = {}
        self._signatures: dict[str, Signature] = {}
        self._quoted: dict[str, str] = {}
        self._tails: dict[str, str] = {}
        self._layouts: dict[OperationId, Layout] = {}
        self.items = Items(self, values)
        self.external = External(self, pins, values)
        self.loops = Loops(self, self.items)

    def keys(self) -> dict[OperationId, ResultKey]:
        """Give the keys of all operations and constants that have one."""
        return {name: term.key for name, term in self.terms.items() if term.key is not None}

    def key_of(self, operation: OperationId) -> ResultKey | None:
        """Give one operation's key, if it has one."""
        term = self.terms.get(operation)
        return None if term is None else term.key

    def source_of(self, operation: OperationId) -> OperationId:
        """Give the node of the plan, or of a loop's body, that an operation was made from."""
        while operation in self.sources:
            operation = self.sources[operation]
        return operation

    def grow(self, values: Values, pins: Mapping[OperationId, Pin]) -> KeyGraph:
        """Start over with more knowledge, keeping all terms that have keys."""
        more = Lowering(
            self.plan, self.kernels.index, {**self.pins, **pins}, {**self.values, **values}
        )
        more.terms = {name: term for name, term in self.terms.items() if term.key is not None}
        more.nodes = dict(self.nodes)
        more.sources = dict(self.sources)
        return more.graph()

    def graph(self) -> KeyGraph:
        """Make all terms and collect what the goals need."""
        goals = self.plan.goals
        try:
            self._prepare(self.plan.nodes, 0)
            layout = Layout(
                self.plan.nodes, [goal.id for goal in goals], self._signatures, self._layouts
            )
            self._make_all(layout)
        except KeyError as error:
            raise InvalidPlan(
                f"the plan has no node {error.args[0]}, which another needs"
            ) from error
        except Cycle as cycle:
            raise InvalidPlan(
                f"operation {cycle.members[0]} needs itself, by the geometry of the images that"
                " the plan loads; give the geometry an image as argument"
            ) from cycle
        key_goals = tuple([self._goal(goal) for goal in goals])
        found = waiting_from(self.terms, [goal.id for goal in goals])
        waiting = found.pending.keys()
        files = {
            (self.terms[goal.id].id, file_suffix(goal.name))
            for goal in goals
            if goal.operation == "save" and self.terms[goal.id].key is None
        }
        return KeyGraph(
            nodes=self.nodes,
            goals=key_goals,
            unpinned={name: ref for name, ref in self.external.unpinned.items() if name in waiting},
            deferred=tuple([each for name, each in self.deferred.items() if name in waiting]),
            rejected={name: text for name, text in self.rejected.items() if name in waiting},
            pending=found.pending,
            keyless=len(waiting) + len(files),
            beside=found.needs,
            told=tuple([key for key in self.values if key in self.nodes]),
            origin=self,
        )

    # --- goals --------------------------------------------------------------------------------

    def _goal(self, goal: Goal) -> KeyGoal:
        term = self.terms[goal.id]
        if term.key is None or goal.operation == "print":
            return KeyGoal(goal, term.key, term.id)
        signature = self.kernels.index.find(SAVE_KERNEL, ())
        version = SAVE_VERSION if signature is None else signature.version
        suffix = file_suffix(goal.name)
        key = save_key(version, suffix, term.key)
        if key not in self.nodes:
            self.nodes[key] = KeyOperation(
                key, SAVE_KERNEL, version, (term.key,), goal.id, Role.SAVE, None, suffix
            )
        return KeyGoal(goal, key, term.id)

    # --- scopes -------------------------------------------------------------------------------

    def _prepare(self, nodes: Mapping[OperationId, Node], depth: int) -> None:
        """Find the kernels of a scope and lay out the bodies in it, the inner ones first."""
        if depth > MAX_LOOP_DEPTH:
            raise InvalidPlan(f"loops are nested deeper than {MAX_LOOP_DEPTH}")
        for node in nodes.values():
            if isinstance(node, Operation):
                if node.operator not in self._signatures:
                    signature = self.kernels.require(node.operator, f"$.nodes.{node.id}.operator")
                    self._signatures[node.operator] = signature
                    self._quoted[node.operator] = quote(node.operator)
                    self._tails[node.operator] = kernel_tail(signature.qualified, signature.version)
            elif isinstance(node, Closure) and node.id not in self._layouts:
                self._prepare(node.nodes, depth + 1)
                self._layouts[node.id] = Layout(
                    node.nodes, [node.result], self._signatures, self._layouts
                )

    def _make(self, node: Node, name: OperationId | None, scope: Scope) -> PartialKey:
        """Make a node's term; `name` is None in a loop, where items change the id."""
        if isinstance(node, Operation):
            local = scope.terms
            arguments = [local[argument] for argument in node.arguments]
            term = self._operation(node.operator, arguments, name, scope)
            if name is None and term.id != node.id:
                self.sources.setdefault(term.id, node.id)
        elif isinstance(node, Constant):
            term = self.constant(node.value, node.id)
        elif isinstance(node, Closure):
            captures = {each: scope.terms[outer] for each, outer in node.captures.items()}
            if name is None:
                ids = {each: term.id for each, term in captures.items()}
                name = closure_id(node.variable, ids, node.result)
                if self._layouts[node.id].borrows:
                    images, of_plan = scope.images()
                    if not of_plan:  # what the body's geometry takes from here is captured too
                        name = operation_id("", [name, *[image.id for image in images]])
            # Never shared by id: equal closures may stand in scopes that load other images.
            term = PartialKey(name, None, body=BoundClosure(node, captures, scope))
        else:
            raise InvalidPlan(f"parameter {node.name!r} is not bound by a closure")
        scope.terms[node.id] = term
        return term

    def size(self, bound: BoundClosure) -> int:
        """Count the nodes of a closure's body."""
        return len(self._layouts[bound.closure.id].order)

    def apply(self, bound: BoundClosure, item: PartialKey) -> PartialKey:
        """Evaluate a closure's body for one item."""
        closure = bound.closure
        scope = Scope(self._layouts[closure.id], {}, bound.scope)
        local = scope.terms
        for node in scope.layout.order:
            if isinstance(node, Parameter):
                variable = node.name == closure.variable
                local[node.id] = item if variable else bound.captures[node.name]
            else:
                self._make(node, None, scope)
        return local[closure.result]

    # --- terms --------------------------------------------------------------------------------

    def _make_all(self, layout: Layout) -> None:
        """Make the terms of the plan's own nodes; what most of them are goes the short way."""
        terms = self.terms
        nodes = self.nodes
        scope = Scope(layout, terms)
        short = {
            operator: (signature.qualified, signature.version, self._tails[operator])
            for operator, signature in self._signatures.items()
            if signature.role is Role.COMPUTE and signature.qualified not in STRUCTURAL
        }
        for node in layout.order:
            name = node.id
            if name in terms:
                continue
            plain = short.get(node.operator) if isinstance(node, Operation) else None
            if plain is None or not isinstance(node, Operation):
                self._make(node, name, scope)
                continue
            keys = [terms[argument].key for argument in node.arguments]
            known = tuple([key for key in keys if key is not None])
            if len(known) < len(keys):
                self._make(node, name, scope)
                continue
            qualified, version, tail = plain
            key = operation_key(tail, known)
            terms[name] = PartialKey(name, key)
            if key not in nodes:
                nodes[key] = KeyOperation(key, qualified, version, known, name)

    def constant(self, value: Scalar, name: OperationId | None = None) -> PartialKey:
        """Make the term of a constant."""
        if name is None:
            name = constant_id(value)
        term = self.terms.get(name)
        if term is None:
            key = constant_key(value)
            if key not in self.nodes:
                self.nodes[key] = KeyConstant(key, value)
            term = self.terms[name] = PartialKey(name, key, value=value)
        return term

    def _operation(
        self, operator: str, arguments: list[PartialKey], name: OperationId | None, scope: Scope
    ) -> PartialKey:
        signature = self._signatures[operator]
        if takes_geometry(signature, len(arguments)):
            images, of_plan = scope.images()
            if name is None:
                own = arguments if of_plan else [*arguments, *images]
                name = operation_id(operator, [term.id for term in own])
            arguments = [*arguments, *_distinct(images)]
        elif name is None:
            name = quoted_operation_id(self._quoted[operator], [term.id for term in arguments])
        term = self.terms.get(name)
        if term is None:
            if signature.role is Role.LOAD or signature.role is Role.LISTING:
                term = self.external.term(operator, signature, arguments, name)
            elif signature.role in (Role.MAP, Role.FOLD):
                term = self.loops.term(signature.role, arguments, name)
            else:
                term = self.computed(signature, self._tails[operator], arguments, name)
            self.terms[name] = term
        return term

    def computed(
        self, signature: Signature, tail: str, arguments: Sequence[PartialKey], name: OperationId
    ) -> PartialKey:
        """Make the term of an operation that its kernel computes."""
        items: tuple[PartialKey, ...] | None = None
        if signature.qualified in STRUCTURAL:
            if signature.qualified == sequence_kernels.INDEX:
                item = self.items.item(arguments)
                if item is not None:
                    return item
            items = self.items.static(signature.qualified, arguments)
        keys = [term.key for term in arguments]
        known = tuple([key for key in keys if key is not None])
        if len(known) < len(keys):
            waits = tuple([term for term in arguments if term.key is None])
            return PartialKey(name, None, items=items, waits=waits, needs=known)
        key = operation_key(tail, known)
        if key not in self.nodes:
            self.nodes[key] = KeyOperation(
                key, signature.qualified, signature.version, known, name, signature.role
            )
        return PartialKey(name, key, items=items)


def _distinct(terms: Iterable[PartialKey]) -> list[PartialKey]:
    """Drop terms whose key came before: the same image under two names is one."""
    seen: dict[str, PartialKey] = {}
    for term in terms:
        seen.setdefault(term.id if term.key is None else term.key, term)
    return list(seen.values())
