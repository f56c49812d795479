"""The layers of a report, as long as their voxels have room in the page."""

from __future__ import annotations

import logging

from voxk8s.errors import KernelError
from voxk8s.rendering import same_geometry
from voxk8s.report import Insert
from voxk8s.values import Image
from voxk8s.viewer.layer import Layer, make_layer
from voxk8s.viewer.panel import viewer_panel

MOST_LAYERS = 8
_log = logging.getLogger(__name__)


def insert_layers(stack: LayerStack) -> Insert | None:
    """Return the layers as a part of a report's page; None if there are none."""
    if not stack.layers:
        return None
    # The report has the pictures beside its results.
    panel = viewer_panel(stack.layers, pictures=False)
    note = ""
    if stack.left_out:
        names = ", ".join(stack.left_out)
        note = f"Not shown, for their size or their other grid of voxels: {names}."
    return Insert(panel.elements, panel.style, panel.scripts, panel.policy, note)


class LayerStack:
    """Images on one grid, the lowest first, with at most `limit` bytes of compressed voxels."""

    def __init__(self, limit: int) -> None:
        """Begin without a layer; with a limit of 0 it stays so."""
        self.layers: list[Layer] = []
        self.left_out: list[str] = []
        """Names of images without room, or on another grid than the first."""
        self._left = limit
        self._first: Image | None = None

    def add(self, name: str, image: Image) -> None:
        """Add an image on top, unless there is one of this name."""
        if self._left <= 0 or name in self.left_out:
            return
        if any(each.name == name for each in self.layers):
            return
        layer = self._layer(name, image)
        if layer is None:
            self.left_out.append(name)
            return
        self._first = self._first or image
        self._left -= len(layer.voxels)
        self.layers.append(layer)

    def _layer(self, name: str, image: Image) -> Layer | None:
        if len(self.layers) == MOST_LAYERS:
            return None
        if self._first is not None and not same_geometry(self._first, image):
            return None
        try:
            layer = make_layer(name, image, len(self.layers))
        except KernelError as error:
            _log.info("%s is no layer: %s", name, error)
            return None
        return layer if len(layer.voxels) <= self._left else None
