"""Pictures of images as people read them: anatomical planes, outlines, colours, a scale in mm."""

from voxk8s.rendering.figure import (
    MEDIA_TYPE,
    describe_picture,
    draw,
    is_overlay,
    same_geometry,
)
from voxk8s.rendering.planes import Plane, Section, cut, main_plane, square_pixels
from voxk8s.rendering.radiological import to_radiological
from voxk8s.rendering.tones import Kind, kind_of, window

__all__ = [
    "MEDIA_TYPE",
    "Kind",
    "Plane",
    "Section",
    "cut",
    "describe_picture",
    "draw",
    "is_overlay",
    "kind_of",
    "main_plane",
    "same_geometry",
    "square_pixels",
    "to_radiological",
    "window",
]
