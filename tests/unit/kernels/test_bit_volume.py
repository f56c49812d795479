"""Tests of masks as bits against numpy and scipy, at all places within words."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from tests.support.images import image, mask_arrays
from voxk8s.kernels import bit_volume
from voxk8s.kernels.bit_volume import NEIGHBOURS, Ball, BitVolume, Comparison, bits_of, known_bits
from voxk8s.kernels.images import mask_like
from voxk8s.read_only import read_only
from voxk8s.values import MaskArray

widths = st.sampled_from((1, 2, 7, 63, 64, 65, 130, 200))
sides = st.integers(1, 6)
shapes = st.one_of(st.tuples(sides, widths), st.tuples(sides, sides, widths))
arrays = shapes.flatmap(mask_arrays)
pairs = shapes.flatmap(lambda shape: st.tuples(mask_arrays(shape), mask_arrays(shape)))


def _components(array: MaskArray, faces: bool) -> tuple[np.ndarray, int]:
    rank = array.ndim
    structure = ndimage.generate_binary_structure(rank, 1 if faces else rank)
    labels, count = ndimage.label(array, structure)
    return labels, count


@given(array=arrays)
def test_what_is_packed_is_unpacked(array: MaskArray) -> None:
    """Packing and unpacking gives the mask again, and leaves the bits beyond rows empty."""
    volume = BitVolume.pack(array)
    np.testing.assert_array_equal(volume.voxels(), array)
    np.testing.assert_array_equal((~~volume).words, volume.words)
    assert volume.count() == (~(~volume)).count() == np.count_nonzero(array)
    assert bool(volume) is bool(array.any())


@given(value=st.integers(1, 255), place=st.integers(0, 199))
def test_any_byte_but_zero_is_true(value: int, place: int) -> None:
    """A voxel of any value sets its own bit and no other."""
    array = np.zeros((1, 200), np.uint8)
    array[0, place] = value
    np.testing.assert_array_equal(BitVolume.pack(array).voxels(), array != 0)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "float32", "float64", ">f4"])
def test_arrays_of_any_type_and_order(dtype: str) -> None:
    """Voxels of all types are packed, in views and in arrays that cannot be written to."""
    array = (np.random.default_rng(0).random((9, 8, 70)) < 0.3).astype(dtype)
    array.flags.writeable = False
    for view in (array, array.T, array[::2, ::-1, 3:]):
        np.testing.assert_array_equal(BitVolume.pack(view).voxels(), view != 0)


_COMPARED = {
    Comparison.LESS: np.less,
    Comparison.AT_MOST: np.less_equal,
    Comparison.EQUAL: np.equal,
    Comparison.AT_LEAST: np.greater_equal,
    Comparison.MORE: np.greater,
}


@given(
    shape=shapes,
    comparison=st.sampled_from(Comparison),
    dtype=st.sampled_from(("float32", "float64", ">f4", "float16", "int16", "uint8", "bool")),
    seed=st.integers(0, 1000),
)
def test_voxels_are_compared_as_float32(
    shape: tuple[int, ...], comparison: Comparison, dtype: str, seed: int
) -> None:
    """Each comparison is numpy's, for views too; bits beyond the ends of rows are 0."""
    chance = np.random.default_rng(seed)
    values = chance.choice([-np.inf, -0.0, 0.0, 1.0, 2.5, 7.0, np.inf, np.nan], (*shape, 2))
    with np.errstate(invalid="ignore"):
        array = values.astype(dtype)[..., seed % 2]
    for numbers in ((0.0, 2.5), (-np.inf, np.inf), (np.inf, 0.0), (np.nan, 1.0)):
        low, high = map(np.float32, numbers)
        found = BitVolume.compare(array, comparison, low, high)
        with np.errstate(over="ignore"):
            single = array.astype(np.float32)
        if comparison is Comparison.BETWEEN:
            expected = (single >= low) & (single <= high)
        else:
            expected = _COMPARED[comparison](single, low)
        np.testing.assert_array_equal(found.voxels(), expected)
        np.testing.assert_array_equal(found.words, BitVolume.pack(expected).words)


@given(pair=pairs)
def test_boolean_operators(pair: tuple[MaskArray, MaskArray]) -> None:
    """And, or, without and not are those of the voxels."""
    first, second = pair
    a, b = BitVolume.pack(first), BitVolume.pack(second)
    np.testing.assert_array_equal((a & b).voxels(), first & second)
    np.testing.assert_array_equal((a | b).voxels(), first | second)
    np.testing.assert_array_equal((a - b).voxels(), first & (1 - second))
    np.testing.assert_array_equal((~a).voxels(), 1 - first)


@given(array=arrays)
def test_the_box_of_neighbours_and_the_contour(array: MaskArray) -> None:
    """The dilation is scipy's; the contour has what the dilation of the background reaches."""
    box = np.ones((3,) * array.ndim, bool)
    volume = BitVolume.pack(array)
    dilated = volume.dilate(NEIGHBOURS)
    np.testing.assert_array_equal(dilated.voxels(), ndimage.binary_dilation(array, box))
    np.testing.assert_array_equal((~~dilated).words, dilated.words)
    contour = array & ndimage.binary_dilation(1 - array, box)
    np.testing.assert_array_equal(volume.contour().voxels(), contour)


def _ball(corners: Sequence[tuple[int, int, int]]) -> Ball:
    """Return the smallest ball that contains the voxels `corners`, offsets along z, y, x."""
    rows = {
        (z, y): max(reach for far, wide, reach in corners if z <= far and y <= wide)
        for last_z, last_y, _ in corners
        for z in range(last_z + 1)
        for y in range(last_y + 1)
    }
    ordered = sorted((reach, z, y) for (z, y), reach in rows.items())
    return np.array([(z, y, reach) for reach, z, y in ordered], np.int32)


def _element(ball: Ball, rank: int) -> NDArray[np.bool_]:
    """Return a ball as a structuring element of scipy."""
    far, wide, long = ball.max(axis=0)
    element = np.zeros((2 * far + 1, 2 * wide + 1, 2 * long + 1), np.bool_)
    for z, y, reach in ball:
        rows = np.ix_((far - z, far + z), (wide - y, wide + y), range(2 * long + 1))
        element[rows] |= np.abs(np.arange(-long, long + 1)) <= reach
    return element if rank == 3 else element[far]


balls = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from((0, 1, 3, 63))),
    min_size=1,
    max_size=3,
).map(_ball)


@given(array=arrays, ball=balls)
def test_dilation_and_erosion_by_a_ball(array: MaskArray, ball: Ball) -> None:
    """Both are scipy's, of masks that fill any part of the image, by balls that may be larger."""
    volume, element = BitVolume.pack(array), _element(ball, array.ndim)
    dilated, eroded = volume.dilate(ball), volume.erode(ball)
    np.testing.assert_array_equal(dilated.voxels(), ndimage.binary_dilation(array, element))
    expected = ndimage.binary_erosion(array, element, border_value=1)
    np.testing.assert_array_equal(eroded.voxels(), expected)
    for found in (dilated, eroded):
        np.testing.assert_array_equal((~~found).words, found.words)


def test_a_ball_crosses_words_but_not_the_ends_of_rows() -> None:
    """A voxel at the end of a word spreads into the next one, but not into the next row."""
    array = np.zeros((3, 128), np.uint8)
    array[1, [0, 63, 127]] = 1
    expected = np.zeros_like(array)
    expected[1, :4] = expected[1, 60:67] = expected[1, 124:] = 1
    ball = _ball([(0, 0, 3)])
    np.testing.assert_array_equal(BitVolume.pack(array).dilate(ball).voxels(), expected)
    np.testing.assert_array_equal(BitVolume.pack(1 - array).erode(ball).voxels(), 1 - expected)


@pytest.mark.parametrize("shape", [(20, 2100), (1, 20, 2100), (1, 2100), (2, 3, 2100)])
def test_a_plane_of_long_rows(shape: tuple[int, ...]) -> None:
    """Its dilation and erosion are those of any other one."""
    array = (np.random.default_rng(0).random(shape) < 0.01).astype(np.uint8)
    ball = _ball([(1, 2, 3), (0, 3, 1)])
    element = _element(ball, array.ndim)
    dilated, eroded = BitVolume.pack(array).dilate(ball), BitVolume.pack(1 - array).erode(ball)
    expected = ndimage.binary_dilation(array, element)
    np.testing.assert_array_equal(dilated.voxels(), expected)
    np.testing.assert_array_equal(eroded.voxels(), 1 - expected)


def test_a_row_of_more_voxels_than_others_take_has_a_complement() -> None:
    """Only what finds neighbours has a longest side."""
    volume = BitVolume(np.zeros((1, 1, 2**24 + 1), np.uint64), (1, 2**30 + 1))
    assert (~volume).count() == 2**30 + 1


def test_words_from_another_process_have_memory_of_their_own() -> None:
    """Those in a message begin at any byte of it, and would keep all of it in memory."""
    array = (np.random.default_rng(0).random((3, 4, 70)) < 0.5).astype(np.uint8)
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(BitVolume.pack(array), 5, buffer_callback=buffers.append)
    message = bytearray(b" " + buffers[0].raw())
    received = pickle.loads(content, buffers=[memoryview(message)[1:]])
    message[:] = bytes(len(message))
    assert received.words.flags.aligned
    np.testing.assert_array_equal(received.voxels(), array)


def test_masks_far_from_each_other_in_a_volume() -> None:
    """Planes without a voxel between two parts, and at both ends, stay as they are."""
    array = np.zeros((30, 20, 150), np.uint8)
    array[3, 4, 60:70] = array[25:27, 15, 100] = 1
    ball = _ball([(2, 1, 1), (0, 1, 3)])
    element = _element(ball, 3)
    found = BitVolume.pack(array).dilate(ball).voxels()
    np.testing.assert_array_equal(found, ndimage.binary_dilation(array, element))


@given(pair=pairs, faces=st.booleans())
def test_components_at_seeds(pair: tuple[MaskArray, MaskArray], faces: bool) -> None:
    """Reconstruction keeps the components that scipy finds at seeds, by both connectivities."""
    seed, array = pair
    labels, _ = _components(array, faces)
    expected = np.isin(labels, np.unique(labels[seed != 0])) & (labels != 0)
    found = BitVolume.pack(array).reconstruct(BitVolume.pack(seed), faces=faces)
    np.testing.assert_array_equal(found.voxels(), expected)


@given(array=arrays)
def test_the_largest_components(array: MaskArray) -> None:
    """All components of the largest size that scipy finds are kept."""
    labels, count = _components(array, faces=False)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    expected = (sizes == sizes.max())[labels] & (array != 0)
    np.testing.assert_array_equal(BitVolume.pack(array).largest().voxels(), expected)


@given(array=arrays)
def test_labels_are_in_order(array: MaskArray) -> None:
    """Labels are those of scipy, which numbers components by their first voxels."""
    labels, _ = _components(array, faces=False)
    found = BitVolume.pack(array).label()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("shape", [(40, 50, 60), (1, 400, 1000), (1000, 1, 300), (600, 500)])
def test_noise_with_many_components(shape: tuple[int, ...], share: float) -> None:
    """Tens of thousands of runs join, early and late, as they do in scipy."""
    random = np.random.default_rng(7)
    array = (random.random(shape) < share).astype(np.uint8)
    labels, _ = _components(array, faces=False)
    np.testing.assert_array_equal(BitVolume.pack(array).label(), labels)
    seed = (random.random(shape) < 0.01).astype(np.uint8)
    for faces in (False, True):
        labels, _ = _components(array, faces)
        expected = np.isin(labels, np.unique(labels[(seed & array) != 0])) & (labels != 0)
        found = BitVolume.pack(array).reconstruct(BitVolume.pack(seed), faces=faces)
        np.testing.assert_array_equal(found.voxels(), expected)


def test_rows_of_more_runs_than_16_bits() -> None:
    """A row may have any number of runs; combs that meet only at their ends are one component."""
    array = np.zeros((3, 200_000), np.uint8)
    array[0, ::2] = 1
    assert BitVolume.pack(array).label().max() == 100_000
    array[2, 1::2] = 1
    array[1, -1] = 1
    labels = BitVolume.pack(array).label()
    assert labels.max() == 199_999
    np.testing.assert_array_equal(labels, _components(array, faces=False)[0])


def test_a_spiral_is_one_component() -> None:
    """Runs that find each other only at the end of a long way are one component."""
    array = np.zeros((301, 301), np.uint8)
    y = x = 0
    direction, length = 0, 300
    array[0, 0] = 1
    for turn in range(280):
        dy, dx = ((0, 1), (1, 0), (0, -1), (-1, 0))[direction]
        for _ in range(length):
            y, x = y + dy, x + dx
            array[y, x] = 1
        direction = (direction + 1) % 4
        if turn >= 2 and turn % 2 == 0:
            length -= 2
        if length <= 2:
            break
    assert ndimage.label(array)[1] == 1
    assert BitVolume.pack(array).label().max() == 1
    np.testing.assert_array_equal(BitVolume.pack(array).largest().voxels(), array)


@given(shape=shapes)
def test_the_border(shape: tuple[int, ...]) -> None:
    """The border has the first and last index of each axis."""
    expected = np.ones(shape, np.uint8)
    expected[tuple(slice(1, -1) for _ in shape)] = 0
    np.testing.assert_array_equal(BitVolume.border(shape).voxels(), expected)


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (2, 3, 0), (2, 0, 3), (0, 3, 70)])
def test_images_without_voxels(shape: tuple[int, ...]) -> None:
    """Their masks have a complement, a border and a dilation like others."""
    volume = BitVolume.pack(np.zeros(shape, np.uint8))
    assert volume.bounding_box() is None
    assert volume.dilate(NEIGHBOURS).voxels().shape == shape
    assert (~volume).voxels().shape == shape
    assert BitVolume.border(shape).voxels().shape == shape


@given(array=arrays)
def test_a_bounding_box_is_the_smallest_that_holds_the_mask(array: MaskArray) -> None:
    """The box begins and ends at the extreme indices of true voxels; an empty mask has none."""
    places = np.argwhere(array)
    box = BitVolume.pack(array).bounding_box()
    if not len(places):
        assert box is None
        return
    expected = zip(places.min(axis=0), places.max(axis=0), strict=True)
    assert box == tuple(slice(int(low), int(high) + 1) for low, high in expected)


def test_bits_of_a_result_are_known() -> None:
    """The next kernel packs nothing."""
    bits = BitVolume.border((3, 4, 70))
    found = mask_like(image(np.zeros((3, 4, 70))), bits)
    assert known_bits(found) is bits
    assert bits_of(found) is bits


def test_an_array_that_cannot_be_written_to_is_packed_once() -> None:
    """Whatever type its numbers have, and whichever image it belongs to."""
    array = read_only(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    assert bits_of(image(array)) is bits_of(image(array, spacing=(1.0, 2.0)))
    assert bits_of(image(array)).count() == 5


def test_what_is_written_to_an_array_is_seen() -> None:
    """Of an array that somebody may change nothing is remembered."""
    array = np.zeros((2, 3), np.uint8)
    assert bits_of(image(array)).count() == 0
    array[1, 2] = 1
    assert bits_of(image(array)).count() == 1
    view = array[:]
    view.flags.writeable = False
    assert bits_of(image(view)).count() == 1
    array[:] = 1
    assert bits_of(image(view)).count() == 6


def test_another_view_of_the_memory_is_another_array() -> None:
    """Its shape may be another one."""
    array = read_only(np.ones((2, 3), np.uint8))
    assert bits_of(image(array)).shape == (2, 3)
    assert known_bits(image(array.reshape(3, 2))) is None
    assert bits_of(image(array.reshape(3, 2))).shape == (3, 2)


def test_bits_go_with_their_array() -> None:
    """Else they would fill the memory, and stand for an array that comes to the same place."""
    before = set(bit_volume._known)
    for _ in range(100):
        mask = image(read_only(np.ones((20, 30), np.uint8)))
        bits_of(mask)
        assert len(bit_volume._known.keys() - before) == 1
        del mask
        assert bit_volume._known.keys() <= before
