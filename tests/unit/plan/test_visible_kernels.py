"""The kernels that a plan can name."""

from __future__ import annotations

import pytest

from tests.support.kernel_index import FakeIndex
from voxk8s.errors import InvalidPlan
from voxk8s.plan.visible_kernels import VisibleKernels


def test_imports_make_kernels_visible() -> None:
    """A short name is found in `default` and in what is imported, a qualified one anywhere."""
    kernels = VisibleKernels(FakeIndex(), ("vox1",))
    found = [kernels.find(name) for name in ("addition", "near", "strings.concat", "concat")]
    assert [each and each.qualified for each in found] == [
        "default.addition", "vox1.near", "strings.concat", None,
    ]  # fmt: skip


def test_unknown_kernels_are_refused_with_a_suggestion() -> None:
    """The message has the nearest name and the path in the document."""
    with pytest.raises(InvalidPlan, match="unknown kernel 'additon'; did you mean 'addition'") as e:
        VisibleKernels(FakeIndex(), ()).require("additon", "$.nodes[0].operator")
    assert e.value.path == "$.nodes[0].operator"


def test_unknown_namespaces_are_refused() -> None:
    """An import must be of a namespace that has kernels."""
    VisibleKernels(FakeIndex(), ("vox1", "strings")).check_imports()
    with pytest.raises(InvalidPlan, match="unknown namespace 'vox2'; did you mean 'vox1'"):
        VisibleKernels(FakeIndex(), ("vox1", "vox2")).check_imports()
