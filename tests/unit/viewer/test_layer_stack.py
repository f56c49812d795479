"""Layers that have room in a report."""

from __future__ import annotations

import numpy as np

from voxk8s.values import Image
from voxk8s.viewer import LayerStack, insert_layers
from voxk8s.viewer.layer_stack import MOST_LAYERS

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def image(seed: int = 1, size: int = 20) -> Image:
    """Return noise, which hardly gets smaller by compression."""
    array = np.random.default_rng(seed).integers(0, 255, (size, 20, 20)).astype(np.uint8)
    return Image(array, (1.0,) * 3, (0.0,) * 3, IDENTITY)


def test_images_are_added_once() -> None:
    """A scan is below all that was computed from it."""
    stack = LayerStack(10**6)
    for name in ("scan", "one", "scan", "two"):
        stack.add(name, image())
    assert [each.name for each in stack.layers] == ["scan", "one", "two"]
    assert stack.layers[0].opacity == 1


def test_the_limit_holds() -> None:
    """An image that has no room is named; a smaller one may follow."""
    stack = LayerStack(12_000)
    stack.add("scan", image())
    stack.add("large", image())
    stack.add("small", Image(np.zeros((20, 20, 20), np.uint8), (1.0,) * 3, (0.0,) * 3, IDENTITY))
    assert [each.name for each in stack.layers] == ["scan", "small"]
    insert = insert_layers(stack)
    assert insert is not None
    assert insert.note.endswith("large.")


def test_layers_have_one_grid() -> None:
    """Images of another patient cannot lie over the first one."""
    stack = LayerStack(10**6)
    stack.add("scan", image())
    stack.add("other", image(size=19))
    assert stack.left_out == ["other"]


def test_a_report_has_few_layers() -> None:
    """A hundred masks cannot be told apart."""
    stack = LayerStack(10**7)
    for number in range(MOST_LAYERS + 2):
        stack.add(str(number), image())
    assert (len(stack.layers), len(stack.left_out)) == (MOST_LAYERS, 2)


def test_without_room_there_is_nothing() -> None:
    """The default of reports."""
    stack = LayerStack(0)
    stack.add("scan", image())
    assert (stack.layers, stack.left_out) == ([], [])
    assert insert_layers(stack) is None
