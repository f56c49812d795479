"""Binds the kernels `x y z tt ff border constant bconstant` to the geometry of an image.

Without an image, such an operation and all that depends on it are *unbound*. When an unbound
operation is combined with an image, the image becomes a further argument of it, so that its
result depends only on its arguments. If it meets none, it gets all images of the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import Apply, Call, Function, Instruction
from voxk8s.imgql.reduce.liveness import set_live_and_used
from voxk8s.imgql.reduce.node_table import NodeTable, postorder
from voxk8s.plan.model import Constant, Operation, OperationId
from voxk8s.plan.signature import Signature


class GeometryBinder:
    """Binds the unbound nodes of a node table."""

    def __init__(self, table: NodeTable) -> None:
        self._table = table
        self._bound: dict[tuple[OperationId, tuple[OperationId, ...]], OperationId] = {}

    def bind_arguments(self, arguments: Sequence[OperationId]) -> Sequence[OperationId]:
        """Return an operation's arguments, unbound ones bound to an image among the others."""
        table = self._table
        if not table.unbound or table.unbound.isdisjoint(arguments):
            return arguments
        image = self._image([each for each in arguments if each not in table.unbound])
        if image is None:
            return arguments
        return [self.bind(each, (image,)) if each in table.unbound else each for each in arguments]

    def bind(self, name: OperationId, images: tuple[OperationId, ...]) -> OperationId:
        """Return a node with all that it needs bound to images of one geometry."""
        table = self._table
        stack = [name]
        while stack:
            top = stack[-1]
            if (top, images) in self._bound:
                stack.pop()
                continue
            node = table.nodes[top]
            if top not in table.unbound or not isinstance(node, Operation):
                self._bound[top, images] = top
                continue
            waiting = [each for each in node.arguments if (each, images) not in self._bound]
            if waiting:
                stack += waiting
                continue
            arguments = [self._bound[each, images] for each in node.arguments]
            if table.is_unbound_geometry(top):
                arguments += images
            self._bound[top, images] = table.operation(
                node.operator, table.signatures[top], arguments, table.origins[top]
            )
        return self._bound[name, images]

    def images(self, loads: Sequence[OperationId]) -> tuple[OperationId, ...]:
        """Return the loads that are not of documents, or all of them if there are no others."""
        nodes = self._table.nodes
        images = []
        for each in dict.fromkeys(loads):
            url = nodes[self._table.needed(each)[0]]
            if not isinstance(url, Constant) or not types.is_document(str(url.value)):
                images.append(each)
        return tuple(images or dict.fromkeys(loads))

    def _image(self, candidates: Sequence[OperationId]) -> OperationId | None:
        """Return the image that gives its geometry: the root of the first image."""
        argument_types = self._table.types
        for wanted in (types.IMAGES, {types.ANY}):
            for each in candidates:
                if argument_types[each] in wanted:
                    return self.root(each)
        return None

    def root(self, name: OperationId) -> OperationId:
        """Return the image that a node takes its geometry from.

        The kernels of spatial logic and arithmetic keep the geometry of their first image. Its
        root is known without computing them and is the same node for all images that share it.
        """
        table = self._table
        while name in table.signatures:
            signature = table.signatures[name]
            if not _keeps_geometry(signature):
                break
            image = next(
                (
                    each
                    for index, each in enumerate(table.needed(name))
                    if types.is_image(table.types[each], signature, index)
                ),
                None,
            )
            if image is None:
                break
            name = image
        return name


def _keeps_geometry(signature: Signature) -> bool:
    name = signature.qualified
    return name in types.ARITHMETIC or (name.startswith("vox1.") and name != "vox1.extract")


def loading_parts(values: Sequence[Function]) -> Iterator[Function]:
    """Yield the parts of values that load something, each as a function without parameters.

    A part is a load, or the call of a function that loads. What loops load is not included, since
    it exists only inside them.
    """
    loaders = _loaders(values)
    for function in values:
        for index, instruction in enumerate(function.instructions):
            if _is_load(instruction) or _calls(instruction, loaders):
                part = Function("", function.source, function.start, function.end, 0)
                part.instructions = function.instructions
                part.result = index
                set_live_and_used(part, all_writes=False)
                yield part


def _loaders(values: Sequence[Function]) -> set[Function]:
    """Return the functions with parameters that the values call and that load something."""
    found: set[Function] = set()
    for function in postorder(values, _called_functions):
        if function.parameters and any(
            _is_load(each) or _calls(each, found) for each in function.instructions
        ):
            found.add(function)
    return found


def _called_functions(function: Function) -> list[Function]:
    calls = (each.function for each in function.instructions if isinstance(each, Call))
    return [callee for callee in calls if callee.parameters]


def _is_load(instruction: Instruction) -> bool:
    return isinstance(instruction, Apply) and types.is_load(instruction.signature)


def _calls(instruction: Instruction, functions: set[Function]) -> bool:
    return isinstance(instruction, Call) and instruction.function in functions
