"""Tests of what every image kernel owes: arguments untouched, and the same bits on any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.support.images import call
from tests.support.kernel_arguments import IMAGE_KERNELS, kernel_arguments, noise
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
def test_threads_do_not_matter(name: str) -> None:
    """Side by side on four threads a kernel gives the same bits as alone."""
    arguments = _arguments(name)
    alone = _bits(call(name, *arguments))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: _bits(call(name, *arguments)), range(8)))
    assert set(map(hash, together)) == {hash(alone)}
