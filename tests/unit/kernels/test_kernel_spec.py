"""Tests of kernel specs."""

from __future__ import annotations

import pickle

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.kernels import CostHint, registry
from voxk8s.kernels.kernel_spec import make_spec


def test_specs_pickle() -> None:
    """Specs of built-in kernels cross process borders."""
    found = registry().spec("vox1.near")
    assert pickle.loads(pickle.dumps(found)) == found


def test_cost_grows_with_voxels() -> None:
    """A cost hint adds what a call and what its voxels cost."""
    assert CostHint(seconds=1.0, per_megavoxel=2.0).estimate(3_000_000) == 7.0


def test_unknown_types_in_a_spec_are_refused() -> None:
    """A misspelt type word is found when the table is loaded."""
    with pytest.raises(InvalidUsage, match="imge"):
        make_spec("a.b", "imge -> mask", "m:f", "")
