"""Tests of comparisons and logic."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import call, image
from voxk8s.errors import KernelError


def test_comparisons() -> None:
    """Numbers compare by value, strings by code points, sequences item by item."""
    assert call("default.equal", 5, 5.0) is True
    assert call("default.equal", "5", 5.0) is False
    assert call("default.equal", [1, ["a"]], [1.0, ["a"]]) is True
    assert call("default.not_equal", [1], [1, 2]) is True
    assert call("default.less", "a", "b") is True
    assert call("default.less_equal", 2, 2.0) is True
    assert call("default.greater", 1, 2) is False
    assert call("default.greater_equal", 3, 2) is True
    assert call("default.both", 1, 0) is False
    assert call("default.either", True, False) is True
    assert call("default.negation", 0.0) is True


def test_images_do_not_compare_as_a_whole() -> None:
    """Comparing an image needs a threshold."""
    with pytest.raises(KernelError, match="image 1x1"):
        call("default.equal", image(np.zeros((1, 1))), 1)
    with pytest.raises(KernelError, match="expected two numbers or two strings"):
        call("default.less", image(np.zeros((1, 1))), 1)
