"""The scans that results were computed from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voxk8s.formats.encode_file import encode_file
from voxk8s.history import Scans
from voxk8s.inputs import loading
from voxk8s.inputs.input_options import InputOptions
from voxk8s.plan import WorkPlan
from voxk8s.program import compile_program
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def image(fill: float, z: float) -> Image:
    """Make a small volume; `z` is the distance of its slices."""
    array = np.full((3, 4, 5), fill, np.float32)
    return Image(array, (1.0, 1.0, z), (0.0, 0.0, 0.0), IDENTITY)


@pytest.fixture
def plan(tmp_path: Path) -> WorkPlan:
    """Two goals, computed from scans of different geometry."""
    for name, each in (("near", image(5, 1.0)), ("far", image(7, 3.0))):
        (tmp_path / f"{name}.nii").write_bytes(encode_file(each, ".nii").data)
    return compile_program(
        f"""
        import "vox1"
        near = intensity(load("{tmp_path}/near.nii"))
        far = intensity(load("{tmp_path}/far.nii"))
        save "a.nii" near >. 3
        save "b.nii" far >. 3
        """
    )


def test_only_what_a_goal_was_computed_from(plan: WorkPlan) -> None:
    """A scan is shown below a result that it led to, and below no other."""
    first, second = (goal.id for goal in plan.goals)
    scans = Scans(plan, InputOptions())
    found = scans.below(first, image(1, 1.0))
    assert found is not None
    assert (found.name, found.image.array.max()) == ("near.nii", 5)
    assert scans.below(second, image(1, 1.0)) is None
    assert scans.below(second, image(1, 3.0)) is not None


def test_each_is_read_once_and_within_limits(
    plan: WorkPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many results it has; one whose file is too large is not read."""
    first, second = (goal.id for goal in plan.goals)
    assert Scans(plan, InputOptions(), left=10).below(first, image(1, 1.0)) is None
    scans = Scans(plan, InputOptions(), left=600)
    assert scans.below(first, image(1, 1.0)) is not None
    assert scans.below(second, image(1, 3.0)) is None
    monkeypatch.setattr(loading, "load_input", None)
    assert scans.below(first, image(1, 1.0)) is not None


def test_scans_that_are_gone(plan: WorkPlan, tmp_path: Path) -> None:
    """A report does not fail for a scan that cannot be read any more."""
    (tmp_path / "near.nii").write_bytes(b"broken")
    (tmp_path / "far.nii").unlink()
    first, second = (goal.id for goal in plan.goals)
    scans = Scans(plan, InputOptions())
    assert scans.below(first, image(1, 1.0)) is None
    assert scans.below(second, image(1, 3.0)) is None
