"""`voxk8s crd`."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.cli import Done
from tests.support.paths import ROOT


def test_crd_is_that_of_the_manifests(call: Callable[..., Done]) -> None:
    """The definition of WorkPlan is printed, byte for byte that of `manifests/crds`."""
    done = call("crd")
    expected = (ROOT / "manifests" / "crds" / "voxk8s.io_workplans.yaml").read_text()
    assert (done.status, done.out) == (0, expected)
