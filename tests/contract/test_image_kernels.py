"""Tests of what every image kernel owes: arguments untouched, and the same bits on any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from tests.support.images import call, with_known_bits
from tests.support.kernel_arguments import IMAGE_KERNELS, kernel_arguments, noise
from voxk8s.errors import KernelError
from voxk8s.kernels.images import image_like
from voxk8s.values import Image, Value

_arguments = partial(kernel_arguments, voxels=noise(6, 7, 8))


def _bits(value: Value) -> object:
    return value.array.tobytes() if isinstance(value, Image) else repr(value)


@pytest.mark.parametrize("name", IMAGE_KERNELS)
def test_arguments_may_be_read_only(name: str) -> None:
    """Values from the store cannot be written to: no kernel tries, and all accept them."""
    arguments = _arguments(name)
    before = [_bits(value) for value in arguments]
    call(name, *arguments)
    assert [_bits(value) for value in arguments] == before


@pytest.mark.parametrize("name", IMAGE_KERNELS)
def test_known_bits_do_not_matter(name: str) -> None:
    """Whether a mask comes from a kernel that has its bits, or from the store, is all the same."""
    arguments = _arguments(name)
    known = [with_known_bits(_as_mask(each)) for each in arguments]
    fresh = [_as_mask(each) for each in arguments]
    assert _outcome(name, known) == _outcome(name, fresh)


def _as_mask(value: Value) -> Value:
    if not isinstance(value, Image) or value.channels != 1:
        return value
    return image_like(value, np.greater(value.array, 0.5).view(np.uint8))


def _outcome(name: str, arguments: list[Value]) -> object:
    """Return the bits of a result, or why there is none: not every kernel takes masks."""
    try:
        result = call(name, *arguments)
    except KernelError as error:
        return str(error)
    return _bits(result)


@pytest.mark.parametrize("name", IMAGE_KERNELS)
def test_threads_do_not_matter(name: str) -> None:
    """Side by side on four threads a kernel gives the same bits as alone."""
    arguments = _arguments(name)
    alone = _bits(call(name, *arguments))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: _bits(call(name, *arguments)), range(8)))
    assert set(map(hash, together)) == {hash(alone)}
