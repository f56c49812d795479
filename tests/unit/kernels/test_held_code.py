"""Code and content inside of objects."""

from __future__ import annotations

import functools
import threading

import numpy as np

from tests.support.plans_and_runs import image
from voxk8s.kernels.held_code import (
    attributes_of,
    content_of,
    importable_name,
    is_code,
    pickled,
    referred_code,
    wrapped_function,
)
from voxk8s.kernels.vox1.box_morphology import near
from voxk8s.values import Image


class _Slots:
    __slots__ = ("__private", "name")

    def __init__(self) -> None:
        self.name = "a"
        self.__private = 1


class _Words(list[str]):
    pass


def _double(x: float) -> float:
    return 2 * x


def test_attributes_in_slots_are_found() -> None:
    """Also those with private names."""
    assert dict(attributes_of(_Slots())) == {"name": "a", "_Slots__private": 1}


def test_a_subclass_has_the_content_of_its_base() -> None:
    """As a value of the base itself; other objects have none."""
    words = content_of(_Words(["a", "b"]))
    assert type(words) is list
    assert words == ["a", "b"]
    assert content_of(_Slots()) is None


def test_only_what_can_be_imported_by_name_is_its_name() -> None:
    """A ufunc of NumPy is, a function in a ufunc is not."""
    assert importable_name(np.sin) == "sin"
    assert importable_name(len) == "len"
    assert importable_name(np.vectorize(_double)) is None


def test_functions_are_not_among_the_bytes() -> None:
    """They are returned beside these, as their code is more than a name."""
    found = pickled(np.vectorize(_double))
    assert found is not None
    assert _double in found[1]
    assert pickled(threading.Lock()) is None


def test_equal_objects_have_equal_bytes() -> None:
    """Whether two of their parts are one object or two."""
    text = "".join(["some ", "words"])
    one = functools.reduce(lambda a, b: a + b, ["some ", "words"])
    assert text is not one
    assert pickled([text, text]) == pickled([text, one])


def test_a_computed_mask_has_the_bytes_of_an_image() -> None:
    """A kernel that holds one is the same code whichever form its voxels have."""
    mask = near(image())
    assert pickled([mask]) == pickled(
        [Image(mask.array.copy(), mask.spacing, mask.origin, mask.direction)]
    )


def test_an_object_that_contains_itself_has_bytes() -> None:
    """The memo of parts is needed then."""
    cycle: list[object] = []
    cycle.append(cycle)
    assert pickled(cycle) is not None


def test_code_in_an_object_without_bytes_is_found() -> None:
    """As that in a ufunc made of a function."""
    assert _double in referred_code(np.frompyfunc(_double, 1, 1))


def test_decorated_functions_are_code() -> None:
    """What functools makes of them is, other objects are not."""
    cached = functools.lru_cache(_double)
    assert wrapped_function(cached) is _double
    assert is_code(cached)
    assert not is_code(3)
