"""Signatures of kernels: what a plan needs to know of them."""

from __future__ import annotations

import pytest

from voxk8s.plan import Role
from voxk8s.plan.signature import Signature, takes_geometry


def _signature(role: Role, minimum: int) -> Signature:
    return Signature("vox1.some", 1, minimum, None, role=role)


@pytest.mark.parametrize(
    ("minimum", "count", "expected"),
    [(0, 0, True), (0, 1, False), (1, 1, True), (1, 2, False)],
    ids=["tt", "tt(image)", "constant(k)", "constant(k, image)"],
)
def test_geometry_without_an_image_takes_those_of_its_scope(
    minimum: int, count: int, expected: bool
) -> None:
    """Images follow the least number of arguments."""
    assert takes_geometry(_signature(Role.GEOMETRY, minimum), count) is expected


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GEOMETRY])
def test_only_geometry_kernels_take_geometry(role: Role) -> None:
    """Any other kernel has the arguments that the plan gives it."""
    assert not takes_geometry(_signature(role, 0), 0)


def test_a_kernel_computes_unless_it_says_otherwise() -> None:
    """It may return anything, and is worth a task and a look-up."""
    plain = Signature("vox1.near", 1, 1, 1)
    assert (plain.role, plain.result, plain.parameters, plain.cheap) == (
        Role.COMPUTE,
        "any",
        (),
        False,
    )
