"""Dilation by the rows of a ball gives what a distance map gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import mask_arrays
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.kernels.vox1.ball_dilation import ball_rows
from voxk8s.kernels.vox1.distance_transform import distance_transform

STEPS = ((1.0, 1.0, 1.0), (0.7, 0.7, 0.7), (3.0, 1.0, 2.0), (0.45, 1.1, 0.7))


@given(
    mask=st.sampled_from([(4, 5, 6), (1, 7, 3), (9, 70)]).flatmap(mask_arrays),
    steps=st.sampled_from(STEPS),
    r=st.sampled_from([0.3, 0.7, 1.4, 2.1, 3.0, 5.0]),
    closed=st.booleans(),
)
def test_as_a_distance_map(
    mask: np.ndarray, steps: tuple[float, ...], r: float, closed: bool
) -> None:
    """What is within the radius by the distance map is in the dilation, and nothing else."""
    steps = steps[-mask.ndim :]
    ball = ball_rows(np.float32(r), steps, mask.shape, closed=closed)
    if ball is None or not mask.any():
        return
    distance = distance_transform(mask, tuple(reversed(steps)))
    within = distance <= np.float32(r) if closed else distance < np.float32(r)
    assert np.array_equal(BitVolume.pack(mask).dilate(ball).voxels(), within)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(
    ("shape", "steps", "offset"),
    [
        ((6, 6, 6), (2754.0, 2484.0, 4325.0), (1, 8, 11)),
        ((2, 40, 65), (4148.0, 219.0, 2591.0), (1, 0, 1)),
        ((4, 66), (8.0103e-26, 2.40309e-25), (3, 8)),
        ((1, 4200), (0.7, 0.7), (0, 9)),
        ((1, 1, 4200), (0.3, 0.3, 0.3), (0, 0, 7)),
        ((20, 30), (0.45, 1.1), (4, 3)),
    ],
    ids=[
        "squares over 2^24",
        "long steps",
        "tiny squares",
        "a long row",
        "a long volume",
        "any spacing",
    ],
)
def test_radii_beside_a_distance(
    shape: tuple[int, ...], steps: tuple[float, ...], offset: tuple[int, ...], closed: bool
) -> None:
    """At the distance of a voxel, just below it and above it, both find the same voxels."""
    mask = np.zeros(shape, np.uint8)
    mask[0, ..., 0] = 1
    distance = distance_transform(mask, tuple(reversed(steps)))
    middle = np.float32(math.hypot(*np.multiply(offset, steps)))
    below, above = np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))
    for r in (below, middle, above, np.float32(1.03) * middle):
        ball = ball_rows(r, steps, shape, closed=closed)
        if ball is not None:
            within = distance <= r if closed else distance < r
            assert np.array_equal(BitVolume.pack(mask).dilate(ball).voxels(), within)


@pytest.mark.parametrize("closed", [True, False])
def test_the_surface_belongs_to_a_closed_ball(closed: bool) -> None:
    """What lies exactly at the radius is in a closed ball, not in an open one."""
    ball = ball_rows(np.float32(2), (1.0, 1.0), (9, 9), closed=closed)
    assert ball is not None
    assert ([0, 0, 2] in ball.tolist()) is closed


@pytest.mark.parametrize(
    ("r", "steps"),
    [(40.0, (1.0, 1.0, 1.0)), (70.0, (99.0, 99.0, 1.0)), (1.0, (0.7, 0.3, 1 + 2**-24))],
    ids=["many rows", "long rows", "a voxel on the rounded surface"],
)
def test_left_to_the_distance_map(r: float, steps: tuple[float, ...]) -> None:
    """Large balls, and surfaces that rounding may move across a voxel, are not made."""
    assert ball_rows(np.float32(r), steps, (200, 200, 200), closed=True) is None
