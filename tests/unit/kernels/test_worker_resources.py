"""Resources of workers: what may be named, and how many calls fit."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.constants import GROUP_MARK
from voxk8s.errors import InvalidUsage
from voxk8s.kernels import kernel, registry
from voxk8s.kernels.worker_resources import calls_at_once, checked, describe


def test_a_kernel_says_what_it_needs() -> None:
    """The registry gives it in order of the names; of other kernels it is nothing."""

    @kernel("resources.both", version=1, resources={"TPU": 2, "GPU": 0.5})
    def both(x: float) -> float:
        return x

    assert registry().resources("resources.both") == (("GPU", 0.5), ("TPU", 2.0))
    assert registry().resources("default.addition") == registry().resources("none.such") == ()
    assert both(1.0) == 1.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nvidia.com/gpu": 1}, "got 'nvidia.com/gpu'"),
        ({"": 1}, "got ''"),
        ({3: 1}, "got 3"),
        ({"GPU": 0}, "positive amount of the resource GPU, got 0"),
        ({"GPU": float("inf")}, "got inf"),
        ({"GPU": "1"}, "got '1'"),
        ({"GPU": True}, "got True"),
    ],
)
def test_what_is_no_resource_is_refused(given: Any, words: str) -> None:
    """With the kernel's name, where it is declared."""
    with pytest.raises(InvalidUsage, match=r"^kernel 'lab\.segment': expected ") as caught:
        checked(given, "kernel 'lab.segment'")
    assert words in str(caught.value)


def test_calls_share_what_a_worker_offers() -> None:
    """As many as fit into the scarcest resource; any number of calls that need nothing."""
    assert calls_at_once({"GPU": 2, "MEMORY": 64}, (("GPU", 0.5), ("MEMORY", 30.0))) == 2
    assert calls_at_once({"GPU": 0.3}, (("GPU", 0.1),)) == 3
    assert calls_at_once({"GPU": 1}, (("GPU", 2.0),)) == 0
    assert calls_at_once({}, (("GPU", 1.0),)) == 0
    assert calls_at_once({}, ()) is None
    assert describe((("GPU", 1.0), ("MEMORY", 2.5))) == "GPU=1 MEMORY=2.5"


def test_amounts_in_bytes_are_not_rounded() -> None:
    """A worker that offers a little less than a kernel needs would let it wait for ever."""
    for amount in (2**35, 10**15, 10**15 - 1):
        assert float(describe((("BYTES", float(amount)),)).partition("=")[2]) == amount


def test_the_mark_of_a_group_is_no_resource_of_a_user() -> None:
    """A kernel cannot need it, and a group cannot offer another amount of it."""
    with pytest.raises(InvalidUsage, match="expected names of resources"):
        checked({GROUP_MARK: 5}, "provides")
