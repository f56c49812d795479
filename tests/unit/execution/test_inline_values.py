"""Sizes of values, and values that travel inline."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans_and_runs import image
from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.execution.inline_values import (
    decode_inline,
    encode_inline,
    encode_skeleton,
    value_bytes,
)
from voxk8s.values import SavedFile, Value

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_plain_values_travel_whole(value: Value) -> None:
    """What is sent inline comes back with its types; anything else is not sent."""
    data = encode_inline(value)
    if data is not None:
        assert repr(decode_inline(data)) == repr(value)


def test_what_is_not_plain_or_small_does_not_travel() -> None:
    """Images, arrays, long values and integers beyond 64 bits go by way of the store."""
    large: list[Value] = [
        image(),
        np.zeros(3),
        "x" * INLINE_VALUE_BYTES,
        [0.0] * INLINE_VALUE_BYTES,
        2**70,
    ]
    for value in large:
        assert encode_inline(value) is None


def test_sizes_count_voxels() -> None:
    """The size of a value is that of its arrays, wherever they are in it."""
    assert value_bytes(image((10, 10, 10))) == 4000
    assert value_bytes({"a": [image((10, 10, 10))] * 3}) > 12_000
    assert value_bytes(SavedFile(b"x" * 500, ".bin", "x/y")) == 500
    assert not math.isnan(value_bytes(1.0))


def test_a_loop_needs_only_the_skeleton_of_its_sequence() -> None:
    """Length and scalars of a sequence travel; images in it do not, and other values have none."""
    data = encode_skeleton([1.0, image((20, 20, 20)), "a", [1.0]])
    assert data is not None
    assert decode_inline(data) == [1.0, None, "a", None]
    assert encode_skeleton(image()) is None
