"""The nodes that the plan builder makes, each once, with their types, loop depths and origins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from voxk8s.imgql import types
from voxk8s.imgql.reduce.interpreter import CallSite
from voxk8s.plan.canonical import quote
from voxk8s.plan.identity import closure, constant, parameter, quoted_operation_id
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, Scalar
from voxk8s.plan.signature import Signature, takes_geometry

T = TypeVar("T")


class NodeTable:
    """Nodes by id.

    The *loop depth* of a node is the number of the innermost loop whose item it depends on, 0
    outside loops. A node is *unbound* while it depends on geometry without an image. `origins` are
    the places of operations in the program.
    """

    def __init__(self) -> None:
        self.nodes: dict[OperationId, Node] = {}
        self.loop_depths: dict[OperationId, int] = {}
        self.unbound: set[OperationId] = set()
        self.types: dict[OperationId, str] = {}
        self.signatures: dict[OperationId, Signature] = {}
        self.origins: dict[OperationId, CallSite] = {}
        self._constants: dict[tuple[type, Scalar], OperationId] = {}
        self._quoted: dict[str, str] = {}

    def constant(self, value: Scalar) -> OperationId:
        """Return the node of a constant."""
        # -0.0 and 0.0 are equal but have different ids.
        key = (type(value), repr(value) if isinstance(value, float) else value)
        if key not in self._constants:
            node = constant(value)
            self._constants[key] = node.id
            self.nodes[node.id] = node
            value_type = "bool" if isinstance(value, bool) else "number"
            self.types[node.id] = "string" if isinstance(value, str) else value_type
        return self._constants[key]

    def scalar(self, name: OperationId) -> Scalar | None:
        """Return the value of a constant, None for other nodes."""
        node = self.nodes[name]
        return node.value if isinstance(node, Constant) else None

    def placeholder(self, loop_depth: int, value_type: str, name: str = "item") -> OperationId:
        """Return the node that represents a loop's item, or a fold's accumulator, in its body."""
        node = parameter(f"{name} {loop_depth} {value_type}")
        self.nodes[node.id] = node
        self.loop_depths[node.id] = loop_depth
        self.types[node.id] = value_type
        return node.id

    def operation(
        self,
        operator: str,
        signature: Signature,
        arguments: Sequence[OperationId],
        call_site: CallSite,
    ) -> OperationId:
        """Return the node of a kernel applied to nodes."""
        quoted = self._quoted.get(operator)
        if quoted is None:
            quoted = self._quoted[operator] = quote(operator)
        name = quoted_operation_id(quoted, arguments)
        if name not in self.nodes:
            self.nodes[name] = Operation(name, operator, tuple(arguments))
            self.signatures[name] = signature
            self.origins[name] = call_site
            self.types[name] = self._result_type(signature, arguments)
            loop_depth = self.loop_depth(arguments)
            if loop_depth:
                self.loop_depths[name] = loop_depth
            if takes_geometry(signature, len(arguments)) or not self.unbound.isdisjoint(arguments):
                self.unbound.add(name)
        return name

    def _result_type(self, signature: Signature, arguments: Sequence[OperationId]) -> str:
        if types.is_load(signature):
            url = self.nodes[arguments[0]] if arguments else None
            return types.load_type(url.value if isinstance(url, Constant) else None)
        return types.result_type(signature, [self.types[each] for each in arguments])

    def closure(
        self, captures: Mapping[str, OperationId], nodes: Iterable[Node], result: OperationId
    ) -> OperationId:
        """Return the node of a loop's body."""
        node = closure(ITEM, captures, nodes, result)
        if node.id not in self.nodes:
            self.nodes[node.id] = node
            self.types[node.id] = "closure"
            loop_depth = self.loop_depth(captures.values())
            if loop_depth:
                self.loop_depths[node.id] = loop_depth
        return node.id

    def loop_depth(self, nodes: Iterable[OperationId]) -> int:
        """Return the greatest loop depth of some nodes."""
        loop_depths = self.loop_depths
        if not loop_depths:
            return 0
        return max((loop_depths.get(each, 0) for each in nodes), default=0)

    def loads(self, roots: Iterable[OperationId] | None = None) -> list[OperationId]:
        """Return the loads outside loops; with `roots`, those that these nodes need."""
        names = self.signatures if roots is None else postorder(roots, self.needed)
        return [name for name in names if self._is_load(name) and name not in self.loop_depths]

    def loads_in_loop(self, root: OperationId, loop_depth: int) -> bool:
        """Whether a loop's body loads something for each item."""
        return any(
            self._is_load(name) and self.loop_depths.get(name, 0) >= loop_depth
            for name in postorder([root], self.needed)
        )

    def _is_load(self, name: OperationId) -> bool:
        return name in self.signatures and types.is_load(self.signatures[name])

    def needed(self, name: OperationId) -> tuple[OperationId, ...]:
        """Return the nodes that a node needs in its own scope."""
        node = self.nodes[name]
        if isinstance(node, Operation):
            return node.arguments
        return tuple(node.captures.values()) if isinstance(node, Closure) else ()

    def is_unbound_geometry(self, name: OperationId) -> bool:
        """Whether a node is itself geometry without an image: `x`, `tt`, `constant(3)`."""
        node = self.nodes[name]
        return isinstance(node, Operation) and takes_geometry(
            self.signatures[name], len(node.arguments)
        )


ITEM = "item"
"""The name of every loop variable in a plan: the name in the program must not change ids."""


def capture_name(index: int) -> str:
    """Return the name of a capture; numbers, since equal bodies must have equal names."""
    return f"c{index}"


def postorder(roots: Iterable[T], needed: Callable[[T], Sequence[T]]) -> Iterator[T]:
    """Yield all nodes of a graph that the roots need, each after those that it needs."""
    seen: set[T] = set()
    for root in roots:
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(each, False) for each in reversed(needed(node)) if each not in seen]
