"""Values of users' kernels get memory of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.plans_and_runs import PlanMaker, engine_on, fresh_store
from voxk8s.errors import UnsupportedValue
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.worker.own_memory import own_memory
from voxk8s.kernels import kernel
from voxk8s.values import Array, Image

_BUFFER = np.zeros(100)
_BYTES = bytearray(800)
_ARGUMENT = np.ones(100)
_LIST = [np.zeros(100)]
_IMAGE = Image(np.zeros((10, 10)), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


def _image_of(array: Array) -> Image:
    return Image(array, _IMAGE.spacing, _IMAGE.origin, _IMAGE.direction)


@functools.cache
def _remembered() -> Array:
    return np.zeros(100)


def _first_array(value: object) -> Array:
    while not isinstance(value, np.ndarray):
        if isinstance(value, Image):
            value = value.array
        else:
            value = next(iter(value.values() if isinstance(value, dict) else value))  # type: ignore[call-overload]  # a container
    return value


def _is_copied(make: Callable[[], object]) -> bool:
    places: list[int] = []

    def call() -> object:
        value = make()
        places.append(_first_array(value).ctypes.data)
        return value

    owned = own_memory([call()], [_ARGUMENT])
    return _first_array(owned).ctypes.data != places[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: _BUFFER,
        lambda: _BUFFER[1:],
        lambda: _BUFFER.reshape(10, 10),
        lambda: _image_of(_BUFFER.reshape(10, 10)),
        lambda: np.frombuffer(_BYTES),
        lambda: [_BUFFER],
        lambda: {"a": (_BUFFER,)},
        lambda: _LIST,
        lambda: _IMAGE,
        _remembered,
        lambda: np.ones(100)[:10],
        lambda: _ARGUMENT[:10],
    ],
)
def test_what_something_else_may_write_to_is_copied(make: Callable[[], object]) -> None:
    """And small parts of large arrays, which they would keep alive."""
    assert _is_copied(make)


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.ones(100),
        lambda: np.ones(100).reshape(10, 10),
        lambda: np.ones((10, 10)).T,
        lambda: _image_of(np.ones((10, 10))),
        lambda: [np.ones(100)],
        lambda: {"a": np.ones(100)},
        lambda: _ARGUMENT,
        lambda: _ARGUMENT.reshape(10, 10),
    ],
)
def test_new_arrays_and_arguments_are_not_copied(make: Callable[[], object]) -> None:
    """Nobody else writes to them: large ones would cost memory and time."""
    assert not _is_copied(make)


def test_a_value_that_contains_itself_is_refused() -> None:
    """With the error of values that are nested too deep."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(UnsupportedValue):
        own_memory([value], [])


@kernel("own_memory.reused")
def reused(x: float) -> Array:
    """Write to one buffer in each call."""
    _BUFFER[:] = x
    return _BUFFER


def test_a_kernel_may_use_one_buffer_again_and_again() -> None:
    """Each of its results has the values that it had when the kernel returned."""
    make = PlanMaker("arrays")
    for number in range(4):
        make.show(str(number), make("own_memory.reused", float(number)))
    result = engine_on(fresh_store(), SynchronousExecutor()).execute_workplan(make.plan())
    found = [np.unique(np.asarray(result[str(number)])).tolist() for number in range(4)]
    assert found == [[0.0], [1.0], [2.0], [3.0]]
