"""The normal form of values."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.support.executions import fresh_store
from voxk8s.errors import UnsupportedValue
from voxk8s.execution.normal import normal
from voxk8s.storage import ResultStore
from voxk8s.values import Value


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
    ],
)
def test_normal_values_are_what_a_store_gives_back(store: ResultStore, value: Value) -> None:
    """A kernel sees the same value, of the same types, by way of a store and without one."""
    key = os.urandom(32).hex()
    store.put(key, value)
    assert repr(normal(value)) == repr(store.get(key))


def test_what_is_normal_is_not_copied() -> None:
    """Long lists of numbers, arrays and unknown things are passed through."""
    for value in ([1.0] * 9, np.zeros(3), object()):
        assert normal(value) is value


def test_what_is_nested_too_deep_is_said() -> None:
    """Thousands of lists within each other are refused in words, as the store refuses them."""
    deep: Value = 1.0
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(UnsupportedValue, match="nested deeper than 200 lists and mappings"):
        normal(deep)
