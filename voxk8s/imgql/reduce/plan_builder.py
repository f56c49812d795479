"""Reduces a program to the nodes of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from voxk8s.imgql import types
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Apply, Call, Constant, Function
from voxk8s.imgql.reduce.closures import Accumulator, make_closure
from voxk8s.imgql.reduce.geometry_binding import GeometryBinder
from voxk8s.imgql.reduce.interpreter import CallSite, Interpreter, Loop
from voxk8s.imgql.reduce.loads import loading_parts
from voxk8s.imgql.reduce.node_table import NodeTable
from voxk8s.imgql.reduce.overloads import OverloadResolver
from voxk8s.imgql.reduce.unrolling import SequenceUnroller
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.trampoline import Trampolined
from voxk8s.plan.model import OperationId
from voxk8s.plan.sequence_kernels import ACCUMULATOR

MAX_OPERATIONS: Final = 1_000_000
"""Kernels applied and items folded, all in all: functions may double their work at each call."""
MAX_LOOP_DEPTH: Final = 64
"""Loops inside loops that plans allow."""


class PlanBuilder:
    """Values are ids of nodes."""

    def __init__(
        self, global_scope: GlobalScope, diagnostics: Diagnostics, values: Sequence[Function]
    ) -> None:
        """Make an empty plan; `values` are the definitions without parameters, and the goals."""
        self.table = NodeTable()
        self._globals = global_scope
        self._overloads = OverloadResolver(global_scope)
        self._values = values
        self._loads: tuple[OperationId, ...] | None = None
        self._diagnostics = diagnostics
        self._geometry = GeometryBinder(self.table)
        self._work = 0
        self._interpreter = Interpreter(self)
        self._unroller = SequenceUnroller(self.table, self._interpreter.call, self._spend)

    def nodes(self, functions: Sequence[Function]) -> list[OperationId]:
        """Reduce functions without parameters; geometry that is left over is bound."""
        for function in _by_need(functions):
            self._interpreter.value(function)
        nodes = [self._interpreter.value(function) for function in functions]
        if self.table.open.isdisjoint(nodes):
            return nodes
        loads = self._geometry.images([*self._loaded(), *self.table.loads()])
        return [self._geometry.bind(node, loads) if loads else node for node in nodes]

    def _loaded(self) -> tuple[OperationId, ...]:
        """Give the images that definitions and goals load, needed for goals or not."""
        if self._loads is None:
            self._loads = ()
            parts = [self._interpreter.value(part) for part in loading_parts(self._values)]
            self._loads = tuple(self.table.loads_of(parts))
        return self._loads

    # --- the domain of the machine --------------------------------------------------------------

    def constant(self, instruction: Constant) -> OperationId:
        """Give the node of a constant."""
        return self.table.constant(instruction.value)

    def unknown(self) -> OperationId:
        """Nothing is reduced after an error."""
        raise AssertionError("a program with errors is not reduced")

    def apply(
        self, instruction: Apply, arguments: Sequence[OperationId], call_site: CallSite
    ) -> OperationId:
        """Give the node of a kernel, its geometry bound."""
        self._spend(1, call_site)
        argument_types = [self.table.types[each] for each in arguments]
        instruction, arguments = self._overloads.choose(instruction, arguments, argument_types)
        return self.table.operation(
            instruction.operator,
            instruction.signature,
            self._geometry.bind_arguments(arguments),
            call_site,
        )

    def item(
        self, sequence: OperationId, captured: Sequence[OperationId], call_site: CallSite
    ) -> OperationId:
        """Give the hole that stands for a loop's item: one level above all that is captured."""
        return self.table.placeholder(
            self._loop_depth(captured, call_site), types.item_of(self.table.types[sequence])
        )

    def loop(self, loop: Loop[OperationId], body: OperationId, call_site: CallSite) -> OperationId:
        """Give the node of a loop."""
        body = self._bound(body, loop.item)
        closure = make_closure(self.table, loop.item, body)
        name = self._kernel("default.map", (closure, loop.sequence), call_site)
        self.table.types[name] = types.sequence_of(self.table.types[body])
        self._unroller.loops.setdefault(name, loop)
        return name

    def _loop_depth(self, captured: Sequence[OperationId], call_site: CallSite) -> int:
        """Give the level of a loop with such captures."""
        loop_depth = self.table.loop_depth(captured) + 1
        if loop_depth > MAX_LOOP_DEPTH:
            self._error(call_site, f"more than {MAX_LOOP_DEPTH} loops inside each other")
        return loop_depth

    def _bound(self, body: OperationId, item: OperationId) -> OperationId:
        """Bind what is open in a loop's body to what the program loads, if it loads nothing."""
        table = self.table
        if body not in table.open or table.loads_in_loop(body, table.loop_depths[item]):
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
        """Write out a fold over a sequence that the program knows; else leave it to the plan."""
        items = yield self._unroller.items(sequence, call_site)
        if items is None:
            loop_depth = self._loop_depth(captured, call_site)
            later: OperationId = yield self._fold_later(
                initial, sequence, loop_depth, call, call_site
            )
            return later
        self._spend(len(items), call_site)
        result = initial
        for item in items:
            result = yield call(result, item)
        return result

    # --- helpers --------------------------------------------------------------------------------

    def _fold_later(
        self,
        initial: OperationId,
        sequence: OperationId,
        loop_depth: int,
        call: Callable[[OperationId, OperationId], Trampolined[OperationId]],
        call_site: CallSite,
    ) -> Trampolined[OperationId]:
        """Make a closure of the fold's function, to be written out when the items are known."""
        table = self.table
        if initial in table.open:
            image = yield self._first_image(sequence, call_site)
            images = self._geometry.images(self._loaded()) if image is None else (image,)
            initial = self._geometry.bind(initial, images) if images else initial
        item = table.placeholder(loop_depth, types.item_of(table.types[sequence]))
        value_type, wider = "", table.types[initial]
        while value_type != wider:
            value_type = wider
            so_far = table.placeholder(loop_depth, value_type, ACCUMULATOR)
            body = yield call(so_far, item)
            wider = types.join([value_type, table.types[body]])
        closure = make_closure(table, item, self._bound(body, item), Accumulator(so_far, initial))
        name = self._kernel("default.fold", (closure, sequence), call_site)
        table.types[name] = value_type
        return name

    def _first_image(
        self, sequence: OperationId, call_site: CallSite
    ) -> Trampolined[OperationId | None]:
        """Give an image with the geometry of a sequence's first item, if that may be an image."""
        table = self.table
        if types.item_of(table.types[sequence]) not in {*types.IMAGES, types.ANY}:
            return None
        loop = self._unroller.loops.get(sequence)
        if loop is not None:
            body = yield self._interpreter.call(loop.function, loop.arguments, call_site)
            if body in table.open:
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
            self._error(call_site, f"the kernel {qualified} is not there")
            return arguments[-1]
        return self.table.operation(self._globals.spell(qualified), signature, arguments, call_site)

    def _spend(self, count: int, call_site: CallSite) -> None:
        """Count what is written out; refuse the program when it comes to too much."""
        self._work += count
        if self._work <= MAX_OPERATIONS:
            return
        while call_site.caller is not None:
            call_site = call_site.caller
        self._error(
            call_site,
            f"written out, this comes to more than {MAX_OPERATIONS:,} operations",
            "functions are written out at each call and folds for each item; `for` stays a loop",
        )
        self._diagnostics.raise_invalid()

    def _error(self, call_site: CallSite, message: str, *hints: str) -> None:
        self._diagnostics.error(call_site.source, call_site.start, call_site.end, message, *hints)


def _by_need(functions: Sequence[Function]) -> Iterator[Function]:
    """Give the values that functions need, each after those it needs itself.

    Values could be reduced where they are met, but a chain of 100,000 of them would then be as
    many calls inside each other, which costs more than the order.
    """
    seen: set[Function] = set()
    for root in functions:
        stack = [(root, False)]
        while stack:
            function, ready = stack.pop()
            if ready:
                yield function
            elif function not in seen:
                seen.add(function)
                stack.append((function, True))
                for index in function.live:
                    instruction = function.instructions[index]
                    if isinstance(instruction, Call) and not instruction.function.parameters:
                        stack.append((instruction.function, False))
