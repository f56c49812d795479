"""The part of a page that shows layers."""

from __future__ import annotations

import pytest

from voxk8s.viewer import Layer, viewer_panel
from voxk8s.viewer.panel import niivue

LAYER = Layer("scan.nii", "an image", b"voxels", "gray", 0.0, 1.0, 1.0, False, b"webp")


@pytest.mark.parametrize(("pictures", "count"), [(True, 1), (False, 0)])
def test_pictures_are_there_unless_the_page_has_them(pictures: bool, count: int) -> None:
    """They are for browsers without WebGL 2."""
    panel = viewer_panel([LAYER], pictures=pictures)
    assert panel.elements.count("<figure>") == count
    assert "see the pictures instead" in panel.elements


def test_the_library_comes_before_what_uses_it() -> None:
    """Scripts run in their order."""
    assert viewer_panel([LAYER]).scripts[0] == niivue()
