"""Tests of distances between surfaces."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tests.support.images import (
    call,
    mask,
    mask_pairs,
)
from voxk8s.errors import KernelError
from voxk8s.values import Image


def _surface(array: np.ndarray) -> np.ndarray:
    structure = ndimage.generate_binary_structure(array.ndim, 1)
    eroded = ndimage.binary_erosion(array, structure)
    return np.argwhere((array != 0) & ~eroded)


@given(pair=mask_pairs(), t=st.sampled_from((0.0, 1.0, 2.5)))
def test_surface_distances_against_brute_force(pair: tuple[Image, Image], t: float) -> None:
    """The distances are what all pairs of surface voxels give."""
    a, b = pair
    step = np.array(a.spacing[::-1])
    first, second = _surface(a.array) * step, _surface(b.array) * step
    if not len(first) or not len(second):
        assert call("vox1.hd95", a, b) == -1.0
        assert call("vox1.nsd", a, b, t) == -1.0
        return
    apart = np.linalg.norm(first[:, None] - second[None], axis=2)
    there, back = apart.min(axis=1), apart.min(axis=0)
    expected = max(np.percentile(there, 95), np.percentile(back, 95))
    assert call("vox1.hd95", a, b) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    close = ((there <= t + 1e-5).sum() + (back <= t + 1e-5).sum()) / (len(there) + len(back))
    assert call("vox1.nsd", a, b, t + 1e-5) == pytest.approx(close)


def test_a_tolerance_must_be_a_number() -> None:
    """A tolerance of NaN is refused."""
    with pytest.raises(KernelError, match="nsd: expected a tolerance in mm, got NaN"):
        call("vox1.nsd", mask([[1]]), mask([[1]]), math.nan)
