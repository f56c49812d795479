"""Reduces a program to the nodes of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from voxk8s.imgql import types
from voxk8s.imgql.arena import Arena
from voxk8s.imgql.code import Apply, Call, Constant, Function
from voxk8s.imgql.diagnostics import Report
from voxk8s.imgql.geometry import Geometry
from voxk8s.imgql.loading import loading
from voxk8s.imgql.loops import Folded, close
from voxk8s.imgql.machine import Loop, Machine, Site
from voxk8s.imgql.names import Names
from voxk8s.imgql.overloads import Overloads
from voxk8s.imgql.trampoline import Steps
from voxk8s.plan import model
from voxk8s.plan.model import Operation, OperationId, Scalar
from voxk8s.plan.sequences import ACCUMULATOR
from voxk8s.plan.signature import Signature

MOST_UNROLLED: Final = 100_000
"""Items of a fold that are written out."""
DEEPEST_LOOPS: Final = 64
"""Loops inside loops that plans allow."""
_BROADCASTING: Final = types.ARITHMETIC - {"default.floor"}


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
        self._loops: dict[OperationId, Loop[OperationId]] = {}
        self._machine = Machine(self)

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
        self._loops.setdefault(name, loop)
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
        items = yield self._items(sequence, site)
        if items is None:
            level = self._level(captured, site)
            later: OperationId = yield self._fold_later(initial, sequence, level, call, site)
            return later
        result = initial
        for item in items:
            result = yield call(result, item)
        return result

    # --- sequences that are known before the run ------------------------------------------------

    def _items(self, sequence: OperationId, site: Site) -> Steps[Sequence[OperationId] | None]:
        """Give the items of a sequence, None when they are only known at run time."""
        node = self.arena.nodes[sequence]
        signature = self.arena.signatures.get(sequence)
        if not isinstance(node, Operation) or signature is None:
            return None
        name, arguments = signature.qualified, node.arguments
        if name == "default.sequence":
            return arguments
        if name == "default.range":
            return self._range(arguments)
        if name == "default.map":
            mapped: Sequence[OperationId] | None = yield self._mapped(sequence, site)
            return mapped
        if name == "default.subsequence":
            whole = yield self._items(arguments[0], site)
            return self._part(whole, arguments[1:])
        if name in _BROADCASTING:
            combined: Sequence[OperationId] | None = yield self._broadcast(node, signature, site)
            return combined
        return None

    def _mapped(self, name: OperationId, site: Site) -> Steps[Sequence[OperationId] | None]:
        loop = self._loops.get(name)
        if loop is None:
            return None
        items = yield self._items(loop.sequence, site)
        if items is None:
            return None
        results = []
        for item in items:
            arguments = (item, *loop.arguments[1:])
            results.append((yield self._machine.call(loop.function, arguments, site)))
        return results

    def _broadcast(
        self, node: Operation, signature: Signature, site: Site
    ) -> Steps[Sequence[OperationId] | None]:
        """Give the items of a sequence combined with one number."""
        left, right = node.arguments
        one_number = [self.arena.kinds[each] == "number" for each in (left, right)]
        if sum(one_number) != 1:
            return None
        items = yield self._items(right if one_number[0] else left, site)
        if items is None:
            return None
        operator = node.operator
        return [
            self.arena.operation(
                operator, signature, (left, item) if one_number[0] else (item, right), site
            )
            for item in items
        ]

    def _range(self, arguments: Sequence[OperationId]) -> Sequence[OperationId] | None:
        bounds = [self._whole(each) for each in arguments]
        low, high = (0, *bounds)[-2:]
        if low is None or high is None or high - low > MOST_UNROLLED:
            return None
        # `range` gives whole numbers, which are not the numbers of programs.
        return [self.arena.constant(value) for value in range(low, high)]

    def _part(
        self, items: Sequence[OperationId] | None, arguments: Sequence[OperationId]
    ) -> Sequence[OperationId] | None:
        start, count = (self._whole(each) for each in arguments)
        if items is None or start is None or count is None:
            return None
        if start < 0 or count < 0 or start + count > len(items):
            return None
        return items[start : start + count]

    def _whole(self, name: OperationId) -> int | None:
        node = self.arena.nodes[name]
        value: Scalar | None = node.value if isinstance(node, model.Constant) else None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

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
        loop = self._loops.get(sequence)
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
