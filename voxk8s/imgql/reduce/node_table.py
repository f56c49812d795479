"""The nodes that a reduction makes: each once, with what must be known of it on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from voxk8s.imgql import types
from voxk8s.imgql.reduce.interpreter import CallSite
from voxk8s.plan.canonical import quote
from voxk8s.plan.identity import closure, constant, parameter, quoted_operation_id
from voxk8s.plan.model import (
    Closure,
    Constant,
    Node,
    Operation,
    OperationId,
    Scalar,
)
from voxk8s.plan.signature import Signature, takes_geometry


class NodeTable:
    """Nodes by id.

    The *level* of a node is the number of the innermost loop whose item it depends on, 0 outside
    of loops. A node is *open* while it depends on geometry that no image has given yet. `origins`
    says where in the program an operation comes from.
    """

    def __init__(self) -> None:
        self.nodes: dict[OperationId, Node] = {}
        self.loop_depths: dict[OperationId, int] = {}
        self.open: set[OperationId] = set()
        self.types: dict[OperationId, str] = {}
        self.signatures: dict[OperationId, Signature] = {}
        self.origins: dict[OperationId, CallSite] = {}
        self._constants: dict[tuple[type, Scalar], OperationId] = {}
        self._quoted: dict[str, str] = {}

    def constant(self, value: Scalar) -> OperationId:
        """Give the node of a constant."""
        # -0.0 and 0.0 are equal and differ in their text.
        key = (type(value), repr(value) if isinstance(value, float) else value)
        if key not in self._constants:
            node = constant(value)
            self._constants[key] = node.id
            self.nodes[node.id] = node
            value_type = "bool" if isinstance(value, bool) else "number"
            self.types[node.id] = "string" if isinstance(value, str) else value_type
        return self._constants[key]

    def placeholder(self, loop_depth: int, value_type: str, word: str = "item") -> OperationId:
        """Give the node that stands for the item of a loop while its body is reduced."""
        node = parameter(f"{word} {loop_depth} {value_type}")
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
        """Give the node of a kernel applied to nodes."""
        quoted = self._quoted.get(operator)
        if quoted is None:
            quoted = self._quoted[operator] = quote(operator)
        name = quoted_operation_id(quoted, arguments)
        if name not in self.nodes:
            self.nodes[name] = Operation(name, operator, tuple(arguments))
            self.signatures[name] = signature
            self.origins[name] = call_site
            self.types[name] = self._kind(signature, arguments)
            loop_depth = self.loop_depth(arguments)
            if loop_depth:
                self.loop_depths[name] = loop_depth
            if takes_geometry(signature, len(arguments)) or not self.open.isdisjoint(arguments):
                self.open.add(name)
        return name

    def _kind(self, signature: Signature, arguments: Sequence[OperationId]) -> str:
        if types.is_load(signature):
            url = self.nodes[arguments[0]] if arguments else None
            return types.load_type(url.value if isinstance(url, Constant) else None)
        return types.result_type(signature, [self.types[each] for each in arguments])

    def closure(
        self, captures: Mapping[str, OperationId], nodes: Iterable[Node], result: OperationId
    ) -> OperationId:
        """Give the node of a loop's body."""
        node = closure(ITEM, captures, nodes, result)
        if node.id not in self.nodes:
            self.nodes[node.id] = node
            self.types[node.id] = "closure"
            loop_depth = self.loop_depth(captures.values())
            if loop_depth:
                self.loop_depths[node.id] = loop_depth
        return node.id

    def loop_depth(self, nodes: Iterable[OperationId]) -> int:
        """Give the highest level of some nodes."""
        loop_depths = self.loop_depths
        if not loop_depths:
            return 0
        return max((loop_depths.get(each, 0) for each in nodes), default=0)

    def loads(self) -> list[OperationId]:
        """Give the loads outside of loops."""
        return [
            name
            for name, signature in self.signatures.items()
            if types.is_load(signature) and name not in self.loop_depths
        ]

    def loads_of(self, roots: Iterable[OperationId]) -> list[OperationId]:
        """Give the loads outside of loops that some nodes need."""
        return [
            name
            for name in postorder(roots, self.nodes)
            if name in self.signatures
            and types.is_load(self.signatures[name])
            and name not in self.loop_depths
        ]

    def loads_in_loop(self, root: OperationId, loop_depth: int) -> bool:
        """Tell whether a loop's body loads something for each item."""
        return any(
            self.loop_depths.get(name, 0) >= loop_depth and types.is_load(self.signatures[name])
            for name in postorder([root], self.nodes)
            if name in self.signatures
        )

    def needs_geometry(self, name: OperationId) -> bool:
        """Tell whether it is geometry that no image has given yet: `x`, `tt`, `constant(3)`."""
        node = self.nodes[name]
        return isinstance(node, Operation) and takes_geometry(
            self.signatures[name], len(node.arguments)
        )


ITEM = "item"
"""Name of every loop's variable in a plan, so that renaming it in a program changes nothing."""


def capture_name(index: int) -> str:
    """Give the name of a loop body's capture; bodies are compared by them, so they are numbers."""
    return f"c{index}"


def children(node: Node) -> tuple[OperationId, ...]:
    """Give the nodes that a node needs, in its own scope."""
    if isinstance(node, Operation):
        return node.arguments
    if isinstance(node, Closure):
        return tuple(node.captures.values())
    return ()


def postorder(
    roots: Iterable[OperationId], nodes: Mapping[OperationId, Node]
) -> Iterator[OperationId]:
    """Give all nodes that the roots need, each after those it needs."""
    seen: set[OperationId] = set()
    for root in roots:
        stack = [(root, False)]
        while stack:
            name, ready = stack.pop()
            if ready:
                yield name
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                needed = children(nodes[name])
                stack += [(each, False) for each in reversed(needed) if each not in seen]
