"""Tests of the parameters that help shows."""

from __future__ import annotations

import inspect

import pytest

from voxk8s.cli.parameter_names import described_parameters
from voxk8s.kernels import registry
from voxk8s.kernels.registry import RESERVED


def shown(name: str) -> list[str]:
    """Return the parameters of a kernel as help shows them."""
    return list(described_parameters(registry().spec(name)))


def test_every_parameter_has_a_name() -> None:
    """Of all shipped kernels that programs may call; those of other tests are none."""
    shipped = RESERVED - {"voxk8s", "test"}
    names = [each for each in registry().names() if each.partition(".")[0] in shipped]
    unnamed = [name for name in names if not all(":" in each for each in shown(name))]
    assert unnamed == ["default.fold", "default.map"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("vox1.dilate", ["a: mask", "r: number"]),
        ("default.addition", ["a: number|image|sequence", "b: number|image|sequence"]),
        ("strings.concat", ["first: any", "[more: any, …]"]),
        ("strings.split", ["text: string", "[separator: string]"]),
        ("default.less", ["a: number|string", "b: number|string"]),
        ("vox1.sub_sv", ["k: number", "i: image"]),
        (
            "simpleitk.CurvatureFlow",
            ["image1: image", "[timeStep: number]", "[numberOfIterations: integer]"],
        ),
    ],
)
def test_parameters_have_names_and_types(name: str, parameters: list[str]) -> None:
    """Brackets say what may be left out."""
    assert shown(name) == parameters


def test_names_are_those_of_the_functions() -> None:
    """Though these are not imported."""
    function = registry().function("vox1.crossCorrelation")
    names = [each.partition(":")[0] for each in shown("vox1.crossCorrelation")]
    assert names == list(inspect.signature(function).parameters)
