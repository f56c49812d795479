"""Tests of the table of operators."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import image, mask, voxels
from voxk8s.kernels import registry, symbols
from voxk8s.values import Image, Value

LINE = image(np.array([[1.0, 2.0, 3.0]], np.float32))


def _apply(sign: str, left: Value, right: Value) -> Value:
    symbol = symbols("vox1")[sign]
    operands = (right, left) if symbol.swapped else (left, right)
    return registry().function(symbol.kernel)(*operands)


@pytest.mark.parametrize("namespace", ["default", "vox1"])
def test_every_operator_stands_for_a_kernel(namespace: str) -> None:
    """Each symbol's kernel exists and takes as many operands."""
    for sign, symbol in symbols(namespace).items():
        found = registry().find(symbol.kernel, ())
        assert found is not None, sign
        assert found.minimum <= len(symbol.operands) <= (found.maximum or 99), sign


def test_other_namespaces_have_no_operators() -> None:
    """A namespace without operators gives an empty table."""
    assert symbols("strings") == {}


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        (".<=", [0, 1, 1]),
        (".<", [0, 0, 1]),
        (".>=", [1, 1, 0]),
        (".>", [1, 0, 0]),
        (".=", [0, 1, 0]),
    ],
)
def test_number_first(sign: str, expected: list[int]) -> None:
    """`2 .<= i` is where 2 <= i, and so on."""
    result = registry().function(symbols("vox1")[sign].kernel)(2.0, LINE)
    assert isinstance(result, Image)
    assert result.array.tolist() == [expected]


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        ("<=.", [1, 1, 0]),
        ("<.", [1, 0, 0]),
        (">=.", [0, 1, 1]),
        (">.", [0, 0, 1]),
        ("=.", [0, 1, 0]),
    ],
)
def test_image_first(sign: str, expected: list[int]) -> None:
    """`i >=. 2` is where i >= 2, and so on."""
    result = _apply(sign, LINE, 2.0)
    assert result.array.tolist() == [expected]  # type: ignore[union-attr]  # an image


def test_reaching_reads_from_the_left() -> None:
    """`b ~> a` gives the components of b that contain a voxel of a."""
    b = mask([[1, 1, 0, 1]])
    a = mask([[1, 0, 0, 0]])
    result = _apply("~>", b, a)
    assert result.array.tolist() == [[1, 1, 0, 0]]  # type: ignore[union-attr]  # an image
    assert voxels("vox1.through", a, b).tolist() == [[1, 1, 0, 0]]
