"""Reduces a program to the nodes of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import Apply, Call, Constant, Function
from voxk8s.imgql.lower.namespaces import Names
from voxk8s.imgql.reduce.closures import Folded, close
from voxk8s.imgql.reduce.geometry import Geometry
from voxk8s.imgql.reduce.interpreter import Loop, Machine, Site
from voxk8s.imgql.reduce.loads import loading
from voxk8s.imgql.reduce.node_table import Arena
from voxk8s.imgql.reduce.overloads import Overloads
from voxk8s.imgql.reduce.unrolling import Unrolling
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.trampoline import Steps
from voxk8s.plan.model import OperationId
from voxk8s.plan.sequence_kernels import ACCUMULATOR

MOST_WORK: Final = 1_000_000
"""Kernels applied and items folded, all in all: functions may double their work at each call."""
DEEPEST_LOOPS: Final = 64
"""Loops inside loops that plans allow."""


class Reduction:
    """Values are ids of nodes."""

    def __init__(self, names: Names, report: Report, values: Sequence[Function]) -> None:
        """Make an empty plan; `values` are the definitions without parameters, and the goals."""
        self.arena = Arena()
        self._names = names
        self._overloads = Overloads(names)
        self._values = values
        self._loads: tuple[OperationId, ...] | None = None
        self._report = report
        self._geometry = Geometry(self.arena)
        self._work = 0
        self._machine = Machine(self)
        self._unrolling = Unrolling(self.arena, self._machine.call, self._spend)

    def nodes(self, functions: Sequence[Function]) -> list[OperationId]:
        """Reduce functions without parameters; geometry that is left over is bound."""
        for function in _by_need(functions):
            self._machine.value(function)
        nodes = [self._machine.value(function) for function in functions]
        if self.arena.open.isdisjoint(nodes):
            return nodes
        loads = self._geometry.images([*self._loaded(), *self.arena.loads()])
        return [self._geometry.bind(node, loads) if loads else node for node in nodes]

    def _loaded(self) -> tuple[OperationId, ...]:
        """Give the images that definitions and goals load, needed for goals or not."""
        if self._loads is None:
            self._loads = ()
            parts = [self._machine.value(part) for part in loading(self._values)]
            self._loads = tuple(self.arena.loads_of(parts))
        return self._loads

    # --- the domain of the machine --------------------------------------------------------------

    def constant(self, instruction: Constant) -> OperationId:
        """Give the node of a constant."""
        return self.arena.constant(instruction.value)

    def unknown(self) -> OperationId:
        """Nothing is reduced after an error."""
        raise AssertionError("a program with errors is not reduced")

    def apply(
        self, instruction: Apply, arguments: Sequence[OperationId], site: Site
    ) -> OperationId:
        """Give the node of a kernel, its geometry bound."""
        self._spend(1, site)
        kinds = [self.arena.kinds[each] for each in arguments]
        instruction, arguments = self._overloads.choose(instruction, arguments, kinds)
        return self.arena.operation(
            instruction.operator, instruction.signature, self._geometry.meet(arguments), site
        )

    def item(
        self, sequence: OperationId, captured: Sequence[OperationId], site: Site
    ) -> OperationId:
        """Give the hole that stands for a loop's item: one level above all that is captured."""
        return self.arena.hole(
            self._level(captured, site), types.item_of(self.arena.kinds[sequence])
        )

    def loop(self, loop: Loop[OperationId], body: OperationId, site: Site) -> OperationId:
        """Give the node of a loop."""
        body = self._bound(body, loop.item)
        closure = close(self.arena, loop.item, body)
        name = self._kernel("default.map", (closure, loop.sequence), site)
        self.arena.kinds[name] = types.sequence_of(self.arena.kinds[body])
        self._unrolling.loops.setdefault(name, loop)
        return name

    def _level(self, captured: Sequence[OperationId], site: Site) -> int:
        """Give the level of a loop with such captures."""
        level = self.arena.level(captured) + 1
        if level > DEEPEST_LOOPS:
            self._error(site, f"more than {DEEPEST_LOOPS} loops inside each other")
        return level

    def _bound(self, body: OperationId, item: OperationId) -> OperationId:
        """Bind what is open in a loop's body to what the program loads, if it loads nothing."""
        arena = self.arena
        if body not in arena.open or arena.loads_in_loop(body, arena.levels[item]):
            return body
        loads = self._geometry.images(self._loaded())
        return self._geometry.bind(body, loads) if loads else body

    def fold(
        self,
        initial: OperationId,
        sequence: OperationId,
        captured: Sequence[OperationId],
        call: Callable[[OperationId, OperationId], Steps[OperationId]],
        site: Site,
    ) -> Steps[OperationId]:
        """Write out a fold over a sequence that the program knows; else leave it to the plan."""
        items = yield self._unrolling.items(sequence, site)
        if items is None:
            level = self._level(captured, site)
            later: OperationId = yield self._fold_later(initial, sequence, level, call, site)
            return later
        self._spend(len(items), site)
        result = initial
        for item in items:
            result = yield call(result, item)
        return result

    # --- helpers --------------------------------------------------------------------------------

    def _fold_later(
        self,
        initial: OperationId,
        sequence: OperationId,
        level: int,
        call: Callable[[OperationId, OperationId], Steps[OperationId]],
        site: Site,
    ) -> Steps[OperationId]:
        """Make a closure of the fold's function, to be written out when the items are known."""
        arena = self.arena
        if initial in arena.open:
            image = yield self._first_image(sequence, site)
            images = self._geometry.images(self._loaded()) if image is None else (image,)
            initial = self._geometry.bind(initial, images) if images else initial
        item = arena.hole(level, types.item_of(arena.kinds[sequence]))
        kind, wider = "", arena.kinds[initial]
        while kind != wider:
            kind = wider
            so_far = arena.hole(level, kind, ACCUMULATOR)
            body = yield call(so_far, item)
            wider = types.join([kind, arena.kinds[body]])
        closure = close(arena, item, self._bound(body, item), Folded(so_far, initial))
        name = self._kernel("default.fold", (closure, sequence), site)
        arena.kinds[name] = kind
        return name

    def _first_image(self, sequence: OperationId, site: Site) -> Steps[OperationId | None]:
        """Give an image with the geometry of a sequence's first item, if that may be an image."""
        arena = self.arena
        if types.item_of(arena.kinds[sequence]) not in {*types.IMAGES, types.ANY}:
            return None
        loop = self._unrolling.loops.get(sequence)
        if loop is not None:
            body = yield self._machine.call(loop.function, loop.arguments, site)
            if body in arena.open:
                return None
            root = self._geometry.root(body)
            if arena.levels.get(root, 0) < arena.levels[loop.item]:
                return root
            sequence = self.loop(loop, root, site)
        return self._kernel("default.index", (sequence, arena.constant(0.0)), site)

    def _kernel(self, qualified: str, arguments: Sequence[OperationId], site: Site) -> OperationId:
        signature = self._names.signature(qualified)
        if signature is None:
            self._error(site, f"the kernel {qualified} is not there")
            return arguments[-1]
        return self.arena.operation(self._names.spell(qualified), signature, arguments, site)

    def _spend(self, count: int, site: Site) -> None:
        """Count what is written out; refuse the program when it comes to too much."""
        self._work += count
        if self._work <= MOST_WORK:
            return
        while site.caller is not None:
            site = site.caller
        self._error(
            site,
            f"written out, this comes to more than {MOST_WORK:,} operations",
            "functions are written out at each call and folds for each item; `for` stays a loop",
        )
        self._report.refuse()

    def _error(self, site: Site, message: str, *hints: str) -> None:
        self._report.error(site.source, site.start, site.end, message, *hints)


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
                for place in function.live:
                    instruction = function.instructions[place]
                    if isinstance(instruction, Call) and not instruction.function.parameters:
                        stack.append((instruction.function, False))
