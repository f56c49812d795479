"""Tests of what every image kernel owes: arguments untouched, and the same bits on any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.support.images import call, image, mask
from voxk8s.kernels import registry
from voxk8s.plan.signature import Role
from voxk8s.values import Image, Value

_NOISE = np.random.default_rng(11).random((6, 7, 8)).astype(np.float32)
_ROLES = (Role.COMPUTE, Role.GEOMETRY)
KERNELS = [
    name
    for name in registry().names()
    if name.partition(".")[0] in ("vox1", "arrays")
    and registry().spec(name).signature.role in _ROLES
]
_SPECIAL: dict[str, tuple[Value, ...]] = {
    "vox1.extract": (image(_NOISE), [2, 2, 2], [1, 1, 1]),
    "vox1.crossCorrelation": (1.0, image(_NOISE), image(_NOISE), mask(_NOISE > 0.5), 0.0, 1.0, 4),
    "vox1.slic": (image(_NOISE), 3.0, 5.0),
    "vox1.otsu": (image(_NOISE), mask(_NOISE > 0.2), 16.0),
    "vox1.constant": (2.0, image(_NOISE)),
    "vox1.bconstant": (True, image(_NOISE)),
    "arrays.confusion_matrix": (mask(_NOISE > 0.4), mask(_NOISE > 0.6)),
}


def _arguments(name: str) -> tuple[Value, ...]:
    """Make arguments of the kinds in the signature, whose arrays cannot be written to."""
    signature = registry().spec(name).signature
    chosen: list[Value] = list(_SPECIAL.get(name, ()))
    if not chosen:
        count, levels = max(signature.minimum, 1), (0.3, 0.5, 0.7, 0.9)
        for position in range(count):
            word = signature.parameters[min(position, len(signature.parameters) - 1)]
            samples: dict[str, Value] = {
                "mask": mask(levels[position] < _NOISE),
                "number": 0.75,
                "bool": True,
            }
            chosen.append(samples.get(word, image(_NOISE)))
    for value in chosen:
        if isinstance(value, Image):
            value.array.flags.writeable = False
    return tuple(chosen)


def _bits(value: Value) -> object:
    return value.array.tobytes() if isinstance(value, Image) else repr(value)


@pytest.mark.parametrize("name", KERNELS)
def test_arguments_may_be_read_only(name: str) -> None:
    """Values from the store cannot be written to: no kernel tries, and all accept them."""
    arguments = _arguments(name)
    before = [_bits(value) for value in arguments]
    call(name, *arguments)
    assert [_bits(value) for value in arguments] == before


@pytest.mark.parametrize("name", KERNELS)
def test_threads_do_not_matter(name: str) -> None:
    """Side by side on four threads a kernel gives the same bits as alone."""
    arguments = _arguments(name)
    alone = _bits(call(name, *arguments))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: _bits(call(name, *arguments)), range(8)))
    assert set(map(hash, together)) == {hash(alone)}
