"""A page that shows images as layers: it opens without a server and asks nobody for anything."""

from voxk8s.viewer.layer import Layer, make_layer
from voxk8s.viewer.page import viewer_page

__all__ = ["Layer", "make_layer", "viewer_page"]
