"""Gives `x y z tt ff border constant bconstant` the geometry of the image they meet.

Such an operation without an image is *open*. Where it meets an image it gets that image as a
further argument, explicitly, so that what it computes no longer depends on anything else. Where it
meets none it gets all images that the program loads.
"""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.imgql import types
from voxk8s.imgql.reduce.node_table import NodeTable, children
from voxk8s.plan.model import Constant, Operation, OperationId
from voxk8s.plan.signature import Signature


class GeometryBinder:
    """Binds open nodes of an arena."""

    def __init__(self, table: NodeTable) -> None:
        self._table = table
        self._bound: dict[tuple[OperationId, tuple[OperationId, ...]], OperationId] = {}

    def bind_arguments(self, arguments: Sequence[OperationId]) -> Sequence[OperationId]:
        """Bind those of an operation's arguments that are open to an image among the others."""
        table = self._table
        if not table.open or table.open.isdisjoint(arguments):
            return arguments
        image = self._image([each for each in arguments if each not in table.open])
        if image is None:
            return arguments
        return [self.bind(each, (image,)) if each in table.open else each for each in arguments]

    def bind(self, name: OperationId, images: tuple[OperationId, ...]) -> OperationId:
        """Give a node with all that is open in it bound to images of one geometry."""
        table = self._table
        stack = [name]
        while stack:
            top = stack[-1]
            if (top, images) in self._bound:
                stack.pop()
                continue
            node = table.nodes[top]
            if top not in table.open or not isinstance(node, Operation):
                self._bound[top, images] = top
                continue
            waiting = [each for each in node.arguments if (each, images) not in self._bound]
            if waiting:
                stack += waiting
                continue
            arguments = [self._bound[each, images] for each in node.arguments]
            if table.needs_geometry(top):
                arguments += images
            self._bound[top, images] = table.operation(
                node.operator, table.signatures[top], arguments, table.origins[top]
            )
        return self._bound[name, images]

    def images(self, loads: Sequence[OperationId]) -> tuple[OperationId, ...]:
        """Give what is an image of some loads: documents are none, if there is anything else."""
        nodes = self._table.nodes
        images = []
        for each in dict.fromkeys(loads):
            url = nodes[children(nodes[each])[0]]
            if not isinstance(url, Constant) or not types.is_document(str(url.value)):
                images.append(each)
        return tuple(images or dict.fromkeys(loads))

    def _image(self, candidates: Sequence[OperationId]) -> OperationId | None:
        """Choose the image that gives its geometry: where the first image comes from."""
        argument_types = self._table.types
        for wanted in (types.IMAGES, {types.ANY}):
            for each in candidates:
                if argument_types[each] in wanted:
                    return self.root(each)
        return None

    def root(self, name: OperationId) -> OperationId:
        """Follow an image to the one that it got its geometry from.

        The kernels of spatial logic and arithmetic keep the geometry of their first image, so the
        geometry can be had without computing them, and is the same node for all that share it.
        """
        table = self._table
        while name in table.signatures:
            signature = table.signatures[name]
            if not _keeps_geometry(signature):
                break
            image = next(
                (
                    each
                    for index, each in enumerate(children(table.nodes[name]))
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
