"""Gives `x y z tt ff border constant bconstant` the geometry of the image they meet.

Such an operation without an image is *open*. Where it meets an image it gets that image as a
further argument, explicitly, so that what it computes no longer depends on anything else. Where it
meets none it gets all images that the program loads.
"""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.imgql import types
from voxk8s.imgql.reduce.node_table import Arena, children
from voxk8s.plan.model import Constant, Operation, OperationId
from voxk8s.plan.signature import Signature


class Geometry:
    """Binds open nodes of an arena."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._bound: dict[tuple[OperationId, tuple[OperationId, ...]], OperationId] = {}

    def meet(self, arguments: Sequence[OperationId]) -> Sequence[OperationId]:
        """Bind those of an operation's arguments that are open to an image among the others."""
        arena = self._arena
        if not arena.open or arena.open.isdisjoint(arguments):
            return arguments
        image = self._image([each for each in arguments if each not in arena.open])
        if image is None:
            return arguments
        return [self.bind(each, (image,)) if each in arena.open else each for each in arguments]

    def bind(self, name: OperationId, images: tuple[OperationId, ...]) -> OperationId:
        """Give a node with all that is open in it bound to images of one geometry."""
        arena = self._arena
        stack = [name]
        while stack:
            top = stack[-1]
            if (top, images) in self._bound:
                stack.pop()
                continue
            node = arena.nodes[top]
            if top not in arena.open or not isinstance(node, Operation):
                self._bound[top, images] = top
                continue
            waiting = [each for each in node.arguments if (each, images) not in self._bound]
            if waiting:
                stack += waiting
                continue
            arguments = [self._bound[each, images] for each in node.arguments]
            if arena.is_leaf(top):
                arguments += images
            self._bound[top, images] = arena.operation(
                node.operator, arena.signatures[top], arguments, arena.origins[top]
            )
        return self._bound[name, images]

    def images(self, loads: Sequence[OperationId]) -> tuple[OperationId, ...]:
        """Give what is an image of some loads: documents are none, if there is anything else."""
        nodes = self._arena.nodes
        images = []
        for each in dict.fromkeys(loads):
            url = nodes[children(nodes[each])[0]]
            if not isinstance(url, Constant) or not types.is_document(str(url.value)):
                images.append(each)
        return tuple(images or dict.fromkeys(loads))

    def _image(self, candidates: Sequence[OperationId]) -> OperationId | None:
        """Choose the image that gives its geometry: where the first image comes from."""
        kinds = self._arena.kinds
        for wanted in (types.IMAGES, {types.ANY}):
            for each in candidates:
                if kinds[each] in wanted:
                    return self.root(each)
        return None

    def root(self, name: OperationId) -> OperationId:
        """Follow an image to the one that it got its geometry from.

        The kernels of spatial logic and arithmetic keep the geometry of their first image, so the
        geometry can be had without computing them, and is the same node for all that share it.
        """
        arena = self._arena
        while name in arena.signatures:
            signature = arena.signatures[name]
            if not _keeps_geometry(signature):
                break
            image = next(
                (
                    each
                    for place, each in enumerate(children(arena.nodes[name]))
                    if types.is_image(arena.kinds[each], signature, place)
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
