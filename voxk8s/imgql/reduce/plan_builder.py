"""Builds the nodes of a plan by evaluating a program's functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from voxk8s.imgql import types
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Apply, Call, Constant, Function
from voxk8s.imgql.lower.operands import FOLD
from voxk8s.imgql.reduce.closures import Accumulator, make_closure
from voxk8s.imgql.reduce.expansion import first_excess
from voxk8s.imgql.reduce.geometry_binding import GeometryBinder, loading_parts
from voxk8s.imgql.reduce.interpreter import CallSite, Interpreter, Loop
from voxk8s.imgql.reduce.known_values import KnownValues
from voxk8s.imgql.reduce.node_table import NodeTable, postorder
from voxk8s.imgql.reduce.overloads import OverloadResolver
from voxk8s.imgql.reduce.unrolling import SequenceUnroller
from voxk8s.imgql.syntax.diagnostics import Diagnostics, Place
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.trampoline import Trampolined
from voxk8s.plan import model
from voxk8s.plan.expansion_limit import expansion_limit
from voxk8s.plan.model import OperationId
from voxk8s.plan.sequence_kernels import ACCUMULATOR, CHOOSE, SEQUENCE

_THING: Final = {"save": "file", "print": "result"}
"""What a goal of each kind names."""
MAX_LOOP_DEPTH: Final = 64
"""Greatest number of nested loops in a plan."""


class WrittenGoal(NamedTuple):
    """A goal inside of an expression: `save` or `print`, its name, and the place in the program."""

    kind: str
    label: str
    result: OperationId
    call_site: CallSite


class PlanBuilder:
    """Evaluates functions over nodes of a plan; values are their ids."""

    def __init__(
        self,
        global_scope: GlobalScope,
        diagnostics: Diagnostics,
        values: Sequence[Function],
        *,
        skips: bool = False,
    ) -> None:
        """Start an empty plan; `values` are the definitions without parameters, and the goals.

        `skips` is whether runs may leave out items of loops.
        """
        self._skips = skips
        self.table = NodeTable()
        self._globals = global_scope
        self._overloads = OverloadResolver(global_scope)
        self._values = values
        self._loads: tuple[OperationId, ...] | None = None
        self._diagnostics = diagnostics
        self._geometry = GeometryBinder(self.table)
        self._work = 0
        self._interpreter = Interpreter(self)
        self._known = KnownValues(self.table)
        unroller = partial(SequenceUnroller, self.table, self._interpreter.call, self._spend)
        self._unroller = unroller(self.table.scalar, {})
        # Where goals are made, bounds that are computed are worth to be known: it is that or an
        # error. Elsewhere a loop over such a range stays a loop, which has other keys.
        self._writing_unroller = unroller(self._known.scalar, self._unroller.loops)
        self._written: dict[tuple[str, str, OperationId], WrittenGoal] = {}

    def nodes(self, functions: Sequence[Function]) -> list[OperationId]:
        """Return the nodes of functions without parameters, their geometry bound to the loads.

        Definitions with goals inside are evaluated too; `written` has these goals after that.
        """
        functions = list(functions)
        writing = [each for each in self._values if each.writes and each not in set(functions)]
        # The interpreter could evaluate values where they are used, but a chain of 100,000 of them
        # would be as many nested calls, which costs more than the order.
        values = list(postorder([*functions, *writing], _needed_values))
        excess = first_excess(values, expansion_limit(), skips=self._skips)
        if excess is not None:
            self._report_excess(excess[0].source, excess[1])
        for function in values:
            self._interpreter.value(function)
        return self._bind_roots([self._interpreter.value(function) for function in functions])

    def written(self) -> list[WrittenGoal]:
        """Return the goals inside of expressions, their geometry bound to the loads."""
        goals = list(self._written.values())
        results = self._bind_roots([each.result for each in goals])
        return [each._replace(result=result) for each, result in zip(goals, results, strict=True)]

    def _bind_roots(self, nodes: list[OperationId]) -> list[OperationId]:
        """Return nodes with their geometry bound to the loads of the program."""
        if self.table.unbound.isdisjoint(nodes):
            return nodes
        loads = self._geometry.images([*self._loaded(), *self.table.loads()])
        return [self._geometry.bind(node, loads) if loads else node for node in nodes]

    def _loaded(self) -> tuple[OperationId, ...]:
        """Return the loads of definitions and goals, whether goals need them or not."""
        if self._loads is None:
            self._loads = ()
            parts = [self._interpreter.value(part) for part in loading_parts(self._values)]
            self._loads = tuple(self.table.loads(parts))
        return self._loads

    def volume_of(self, name: OperationId) -> object:
        """Return the address of the image that gives a node its geometry, None if not known."""
        root = self._geometry.root(name)
        signature = self.table.signatures.get(root)
        if signature is None or not types.is_load(signature):
            return None
        address = self.table.nodes[self.table.needed(root)[0]]
        return address.value if isinstance(address, model.Constant) else None

    # --- the domain of the interpreter -----------------------------------------------------------

    def constant(self, instruction: Constant) -> OperationId:
        """Return the node of a constant."""
        return self.table.constant(instruction.value)

    def unknown(self) -> OperationId:
        """Raise AssertionError: no plan is built after an error."""
        raise AssertionError("no plan is built of a program with errors")

    def apply(
        self, instruction: Apply, arguments: Sequence[OperationId], call_site: CallSite
    ) -> OperationId:
        """Return the node of a kernel with its geometry bound."""
        self._spend(1, call_site)
        if self._skips and instruction.name == FOLD:
            arguments = [self._with_loop(arguments[0], call_site)]
        argument_types = [self.table.types[each] for each in arguments]
        instruction, arguments = self._overloads.resolve(instruction, arguments, argument_types)
        if instruction.signature.qualified == CHOOSE:
            condition = self.table.nodes[arguments[0]]
            if isinstance(condition, model.Constant):
                return arguments[1 if condition.value else 2]
        return self.table.operation(
            instruction.operator,
            instruction.signature,
            self._geometry.bind_arguments(arguments),
            call_site,
        )

    def item(
        self, sequence: OperationId, captured: Sequence[OperationId], call_site: CallSite
    ) -> OperationId:
        """Return the placeholder of a loop's item, one loop deeper than all that is captured."""
        return self.table.placeholder(
            self._loop_depth(captured, call_site), types.item_of(self.table.types[sequence])
        )

    def output(
        self, kind: str, result: OperationId, name: OperationId, call_site: CallSite
    ) -> OperationId:
        """Note a goal; its name is the value."""
        label = self._known.scalar(name)
        if not isinstance(label, str):
            self._error(
                call_site,
                f"the name of this {_THING[kind]} is known only at run time: a plan says before the"
                " run which results it has",
                "put it together from texts, numbers, $parameters, and items of lists and ranges"
                " that the program spells out",
                *_called_from(call_site),
            )
            return name
        if self.table.loop_depths.get(result, 0):
            self._report_unknown_items(call_site)
        self._written.setdefault((kind, label, result), WrittenGoal(kind, label, result, call_site))
        return self.table.constant(label)

    def each(
        self,
        sequence: OperationId,
        call: Callable[[OperationId], Trampolined[OperationId]],
        call_site: CallSite,
    ) -> Trampolined[OperationId]:
        """Return the sequence of the results of a loop that has goals for each item."""
        items = yield self._writing_unroller.items(sequence, call_site)
        if items is None:
            self._report_unknown_items(call_site)
            return sequence
        self._spend(len(items), call_site)
        results = []
        for item in items:
            result = yield call(item)
            results.append(result)
        return self._kernel(SEQUENCE, results, call_site)

    def loop(self, loop: Loop[OperationId], body: OperationId, call_site: CallSite) -> OperationId:
        """Return the node of a loop."""
        body = self._bound(body, loop.item)
        closure = make_closure(self.table, loop.item, body)
        name = self._kernel("default.map", (closure, loop.sequence), call_site)
        self.table.types[name] = types.sequence_of(self.table.types[body])
        self._unroller.loops.setdefault(name, loop)
        return name

    def _loop_depth(self, captured: Sequence[OperationId], call_site: CallSite) -> int:
        """Return the depth of a loop with these captures."""
        loop_depth = self.table.loop_depth(captured) + 1
        if loop_depth > MAX_LOOP_DEPTH:
            self._error(call_site, f"more than {MAX_LOOP_DEPTH} nested loops")
        return loop_depth

    def _bound(self, body: OperationId, item: OperationId) -> OperationId:
        """Bind geometry in a loop's body to the loads of the program, if the body loads nothing."""
        table = self.table
        if body not in table.unbound or table.loads_in_loop(body, table.loop_depths[item]):
            return body
        loads = self._geometry.images(self._loaded())
        return self._geometry.bind(body, loads) if loads else body

    def fold(
        self,
        initial: OperationId,
        sequence: OperationId,
        captured: Sequence[OperationId],
        call: Callable[[OperationId, OperationId], Trampolined[OperationId]],
        call_site: CallSite,
    ) -> Trampolined[OperationId]:
        """Unroll a fold over a sequence that is known; else return the node of a fold.

        If a run may leave out items that fail, one over the results of a loop or over a list of
        what is computed remains a fold, unless its first value takes its geometry from the items.
        """
        items = None
        kept = self._skips and initial not in self.table.unbound
        if not (kept and self._unroller.has_loop(sequence)):
            items = yield self._unroller.items(sequence, call_site)
        if items is not None and kept and not self.table.signatures.keys().isdisjoint(items):
            sequence = self._loop_over(items, captured, call_site)
            items = None
        if items is None:
            loop_depth = self._loop_depth(captured, call_site)
            folded: OperationId = yield self._runtime_fold(
                initial, sequence, loop_depth, call, call_site
            )
            return folded
        self._spend(len(items), call_site)
        result = initial
        for item in items:
            result = yield call(result, item)
        return result

    # --- helpers --------------------------------------------------------------------------------

    def _with_loop(self, sequence: OperationId, call_site: CallSite) -> OperationId:
        """Return a sequence, one that the program spells out as a loop over its items."""
        node = self.table.nodes[sequence]
        if not isinstance(node, model.Operation):
            return sequence
        if self.table.signatures[sequence].qualified != SEQUENCE:
            return sequence
        return self._loop_over(node.arguments, (), call_site)

    def _loop_over(
        self,
        items: Sequence[OperationId],
        captured: Sequence[OperationId],
        call_site: CallSite,
    ) -> OperationId:
        """Return the loop that gives these items, of which a run may leave some out."""
        table = self.table
        sequence = self._kernel(SEQUENCE, items, call_site)
        depth = self._loop_depth((*items, *captured), call_site)
        item = table.placeholder(depth, types.item_of(table.types[sequence]))
        closure = make_closure(table, item, item)
        name = self._kernel("default.map", (closure, sequence), call_site)
        table.types[name] = table.types[sequence]
        return name

    def _runtime_fold(
        self,
        initial: OperationId,
        sequence: OperationId,
        loop_depth: int,
        call: Callable[[OperationId, OperationId], Trampolined[OperationId]],
        call_site: CallSite,
    ) -> Trampolined[OperationId]:
        """Return a fold whose items are known at run time: its function becomes a closure."""
        table = self.table
        if initial in table.unbound:
            image = yield self._first_image(sequence, call_site)
            images = self._geometry.images(self._loaded()) if image is None else (image,)
            initial = self._geometry.bind(initial, images) if images else initial
        item = table.placeholder(loop_depth, types.item_of(table.types[sequence]))
        value_type, next_type = "", table.types[initial]
        while value_type != next_type:
            value_type = next_type
            so_far = table.placeholder(loop_depth, value_type, ACCUMULATOR)
            body = yield call(so_far, item)
            next_type = types.join([value_type, table.types[body]])
        closure = make_closure(table, item, self._bound(body, item), Accumulator(so_far, initial))
        name = self._kernel("default.fold", (closure, sequence), call_site)
        table.types[name] = value_type
        return name

    def _first_image(
        self, sequence: OperationId, call_site: CallSite
    ) -> Trampolined[OperationId | None]:
        """Return an image with the geometry of a sequence's first item, None if it has none."""
        table = self.table
        if types.item_of(table.types[sequence]) not in {*types.IMAGES, types.ANY}:
            return None
        loop = self._unroller.loops.get(sequence)
        if loop is not None:
            body = yield self._interpreter.call(loop.function, loop.arguments, call_site)
            if body in table.unbound:
                return None
            root = self._geometry.root(body)
            if table.loop_depths.get(root, 0) < table.loop_depths[loop.item]:
                return root
            sequence = self.loop(loop, root, call_site)
        return self._kernel("default.index", (sequence, table.constant(0.0)), call_site)

    def _kernel(
        self, qualified: str, arguments: Sequence[OperationId], call_site: CallSite
    ) -> OperationId:
        signature = self._globals.signature(qualified)
        if signature is None:
            self._error(call_site, f"the kernel {qualified} is not available")
            return arguments[-1]
        return self.table.operation(self._globals.spell(qualified), signature, arguments, call_site)

    def _spend(self, count: int, call_site: CallSite) -> None:
        """Count operations of expanded functions and folds; raise InvalidProgram if too many."""
        self._work += count
        if self._work <= expansion_limit():
            return
        while call_site.caller is not None:
            call_site = call_site.caller
        self._report_excess(call_site.source, call_site)

    def _report_excess(self, source: Source, place: Place) -> None:
        """Report what expands to too many operations; raises InvalidProgram."""
        self._diagnostics.error(
            source,
            place,
            f"this expands to more than {expansion_limit():,} operations",
            "functions are expanded at each call and folds for each item; `for` remains a loop",
        )
        self._diagnostics.raise_invalid()

    def _report_unknown_items(self, call_site: CallSite) -> None:
        self._error(
            call_site,
            "a file is written for each item here, or a value printed, but the items are known only"
            " at run time: a plan says before the run which results it has",
            "loop over a list or a range that the program spells out, for example"
            " `for i in range(0, 10) do …` with xs[i] inside",
            *_called_from(call_site),
        )

    def _error(self, call_site: CallSite, message: str, *hints: str) -> None:
        self._diagnostics.error(call_site.source, call_site, message, *hints)


def _called_from(call_site: CallSite) -> tuple[str, ...]:
    """Return the hint that says which call led to a place, if one did."""
    return (f"called from {call_site.caller.at}",) if call_site.caller is not None else ()


def _needed_values(function: Function) -> list[Function]:
    """Return the values that a function needs, the last one first."""
    live = (function.instructions[index] for index in reversed(function.live))
    calls = (each.function for each in live if isinstance(each, Call))
    return [callee for callee in calls if not callee.parameters]
