"""Tests of ITK's statistics of an image."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import call, image


def test_statistics_of_an_image() -> None:
    """In the order of VoxLogicA 2; the variance is that of a sample."""
    values = np.array([[1.0, 2.0], [4.0, 9.0]])
    found = call("simpleitk.Statistics", image(values))
    assert isinstance(found, list)
    deviation, variance = values.std(ddof=1), values.var(ddof=1)
    assert found == pytest.approx([1, 9, 4, deviation, variance, 16, 4])
