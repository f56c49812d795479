"""A page that shows images as layers: it opens without a server and asks nobody for anything."""

from voxk8s.viewer.layer import Layer, make_layer
from voxk8s.viewer.layer_stack import LayerStack, insert_layers
from voxk8s.viewer.other_grids import other_grids
from voxk8s.viewer.page import viewer_page
from voxk8s.viewer.panel import Panel, viewer_panel

__all__ = [
    "Layer",
    "LayerStack",
    "Panel",
    "insert_layers",
    "make_layer",
    "other_grids",
    "viewer_page",
    "viewer_panel",
]
