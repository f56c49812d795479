"""The normal form of values."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
from enum import Enum, IntEnum

import numpy as np
import pytest

from tests.support.plans_and_runs import fresh_store, image
from voxk8s.errors import UnsupportedValue
from voxk8s.execution.worker.normalize import copy_containers, normalize
from voxk8s.kernels.vox1.box_morphology import near
from voxk8s.storage import ResultStore
from voxk8s.values import Array, Image, SavedFile, Value


class Colour(str, Enum):  # noqa: UP042  # `str` of a member is not its value, unlike that of a StrEnum
    """A string enumeration."""

    RED = "red"


class Special(np.ndarray):
    """A subclass of arrays."""


class Number(IntEnum):
    """An integer enumeration."""

    ONE = 1


@pytest.fixture
def store() -> ResultStore:
    """An empty store in memory."""
    return fresh_store()


@pytest.mark.parametrize(
    "value",
    [
        (1, (2.0, "x"), {"a": np.float32(1.5)}),
        np.int64(5),
        np.bool_(True),
        np.str_("é"),
        np.float64(0.1),
        np.complex64(1j),
        [True, None, [1, ("a",)]],
        {"k": ()},
        Colour.RED,
        [Number.ONE, {"c": Colour.RED}],
        np.ones((2, 2)).view(Special),
        Image(np.zeros((2, 3)), [1, np.float32(2)], (0, 0), (1, 0, 0, 1)),  # type: ignore[arg-type]  # what kernels may give
    ],
)
def test_normal_values_are_those_that_a_store_returns(store: ResultStore, value: Value) -> None:
    """A kernel gets the same value, of the same types, through a store and without one."""
    key = os.urandom(32).hex()
    store.put(key, value)
    assert repr(normalize(value)) == repr(store.get(key))


def test_values_in_normal_form_are_not_copied() -> None:
    """Long lists of numbers are returned as they are, arrays share their data."""
    numbers, array = [1.0] * 9, np.zeros(3)
    assert normalize(numbers) is numbers
    once = normalize(array)
    assert isinstance(once, np.ndarray)
    assert np.shares_memory(once, array)
    assert normalize(once) is once


def test_arrays_have_the_memory_order_of_stored_ones(store: ResultStore) -> None:
    """The last digits of a sum depend on the memory order, so it is always the same."""
    array = np.random.default_rng(0).random((300, 400)).T
    key = os.urandom(32).hex()
    store.put(key, array)
    mine, stored = normalize(array), store.get(key)
    assert isinstance(mine, np.ndarray)
    assert isinstance(stored, np.ndarray)
    assert mine.sum() == stored.sum() != array.sum()


def test_arrays_become_read_only() -> None:
    """In containers too, also through their bases, and the flag cannot be set again."""
    scratch = np.zeros(6)
    found = normalize([scratch[:3], {"k": np.zeros(2)}, image()])
    assert isinstance(found, list)
    first, mapping, picture = found
    assert isinstance(mapping, dict)
    assert isinstance(picture, Image)
    for array in (scratch, first, mapping["k"], picture.array):
        assert isinstance(array, np.ndarray)
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1
    for array in (first, mapping["k"], picture.array):
        assert isinstance(array, np.ndarray)
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3)),
        np.zeros((4, 3))[1:],
        np.zeros((3, 2), np.float32).T,
        np.zeros(3, bool),
        np.zeros(3, "<f2"),
        np.array(["a", "bc"]),
        np.zeros(3, "M8[s]"),
        np.zeros(()),
        np.zeros((0, 3)),
        np.frombuffer(bytearray(24), np.float64),
        np.frombuffer(mmap.mmap(-1, 48), np.int32)[4:],
        np.ctypeslib.as_array((ctypes.c_double * 5)()),
        np.frombuffer(bytes(16), np.float64),
    ],
    ids=lambda each: f"{each.dtype}{each.shape}",
)
def test_no_base_of_an_array_can_be_made_writeable(array: Array) -> None:
    """A kernel that finds the owner of its argument's memory cannot change what others share."""
    found = normalize(array)
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, array)
    each: object = found
    while isinstance(each, np.ndarray):
        assert each.nbytes == 0 or _stays_read_only(each)
        each = each.base
    assert normalize(found) is found


def _stays_read_only(array: Array) -> bool:
    try:
        array.flags.writeable = True
    except ValueError:
        return not array.flags.writeable
    return False


@pytest.mark.parametrize("shape", [(3,), (600, 1000)], ids=["small", "in chunks"])
def test_arrays_of_the_store_stay_read_only(store: ResultStore, shape: tuple[int, ...]) -> None:
    """Also those that are decoded to memory of their own."""
    key = os.urandom(32).hex()
    store.put(key, np.random.default_rng(0).random(shape))
    each: object = store.get(key)
    assert isinstance(each, np.ndarray)
    while isinstance(each, np.ndarray):
        assert _stays_read_only(each)
        each = each.base


@pytest.mark.parametrize(
    "value",
    [
        object(),
        1j,
        b"x",
        [iter([1])],
        {1: 2},
        np.array([1, "a"], object),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        [SavedFile(b"", "", "")],
    ],
)
def test_unsupported_objects_are_refused(value: object) -> None:
    """They are refused whether they would be stored or not."""
    with pytest.raises(UnsupportedValue):
        normalize(value)


def test_containers_are_copied() -> None:
    """Nested lists and mappings are copied; arrays and strings are shared."""
    array = np.zeros(3)
    value = [1.0, [2.0], {"k": [array]}]
    copy = copy_containers(value)
    assert copy == value
    assert isinstance(copy[2], dict)
    assert copy[2]["k"][0] is array
    copy.append(5.0)
    copy[2]["k"].append(array)
    assert value == [1.0, [2.0], {"k": [array]}]


def test_the_geometry_of_a_packed_mask_is_that_of_its_argument() -> None:
    """A kernel may have made that itself, of integers or with a spacing that no image has."""
    array, direction = np.zeros((2, 3), np.uint8), (1.0, 0.0, 0.0, 1.0)
    given = Image(array, [1, np.float32(2)], (0, 0), (1, 0, 0, 1))  # type: ignore[arg-type]  # what kernels may give
    found = normalize(near(given))
    assert isinstance(found, Image)
    assert (found.spacing, found.origin, found.direction) == ((1.0, 2.0), (0.0, 0.0), direction)
    assert all(type(each) is float for each in (*found.spacing, *found.origin, *found.direction))
    with pytest.raises(UnsupportedValue, match="spacing above 0 mm"):
        normalize(near(Image(array, (0.0, 1.0), (0.0, 0.0), direction)))


def test_users_get_packed_masks_as_images_of_their_class() -> None:
    """Also in containers: a kernel may ask for the type, and one from the store has no other."""
    mask = near(image())
    copy = copy_containers([mask, {"k": mask}])
    assert isinstance(copy[1], dict)
    assert type(copy_containers(mask)) is type(copy[0]) is type(copy[1]["k"]) is Image
    assert isinstance(copy[0], Image)
    assert copy[0].array is mask.array


def test_values_nested_too_deep_are_refused() -> None:
    """Thousands of nested lists raise the same error as in the store, not a RecursionError."""
    deep: Value = 1.0
    for _ in range(3000):
        deep = [deep]
    for take in (normalize, copy_containers):
        with pytest.raises(UnsupportedValue, match="nested deeper than 200 lists and mappings"):
            take(deep)


@pytest.mark.parametrize(
    ("spacing", "origin", "message"),
    [
        ((0.0, 1.0), (0.0, 0.0), "a spacing above 0 mm along each axis, got 0.0, 1.0"),
        ((1.0, -2.0), (0.0, 0.0), "a spacing above 0 mm"),
        ((math.nan, 1.0), (0.0, 0.0), "a spacing above 0 mm"),
        ((1.0, math.inf), (0.0, 0.0), "a spacing above 0 mm"),
        ((1.0, 1.0, 1.0), (0.0, 0.0), "2, 2 and 4 numbers .*, got 3, 2 and 4"),
        ((1.0, 1.0), (0.0,), "2, 2 and 4 numbers .*, got 2, 1 and 4"),
        (1.0, (0.0, 0.0), "numbers as the geometry of an image, got 1.0"),
        ((1.0, None), (0.0, 0.0), r"numbers as the geometry of an image, got \(1.0, None\)"),
    ],
)
def test_images_whose_geometry_means_nothing_are_refused(
    spacing: tuple[float, ...], origin: tuple[float, ...], message: str
) -> None:
    """The kernel that has made them is named, and not one that divides by their spacing later."""
    with pytest.raises(UnsupportedValue, match=message):
        normalize(Image(np.zeros((2, 3)), spacing, origin, (1.0, 0.0, 0.0, 1.0)))
