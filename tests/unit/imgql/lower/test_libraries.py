"""Tests of the libraries, on small images."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from tests.support.imgql import check_text, compile_text, goal_text
from voxk8s.imgql.lower.libraries import NAMESPACES, definitions
from voxk8s.kernels import registry
from voxk8s.plan.model import Constant, Operation
from voxk8s.values import Image, Value

A = np.array([[0, 1, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]])
B = np.array([[0, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]])
NUMBERS = np.array([[1.0, 2, 3, 4, 0], [0, 0, 8, 1, 1], [2, 2, 2, 2, 2], [5, 0, 0, 1, 7]])


def _image(array: ArrayLike) -> Image:
    return Image(np.asarray(array), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


IMAGES = {
    "a": _image(A.astype(np.uint8)),
    "b": _image(B.astype(np.uint8)),
    "n": _image(NUMBERS.astype(np.float32)),
    "e": _image(np.zeros_like(A, np.uint8)),
}


def run(text: str, imports: str = "") -> Value:
    """Evaluate an expression over the images a, b, n and e (empty)."""
    loads = "\n".join(f'load {name} = "{name}"' for name in IMAGES)
    plan = compile_text(f'import "stdlib.imgql"\n{imports}{loads}\nprint "x" {text}').plan
    values: dict[str, Value] = {}
    for name, node in plan.nodes.items():
        if isinstance(node, Constant):
            values[name] = node.value
        elif isinstance(node, Operation):
            arguments = [values[each] for each in node.arguments]
            values[name] = (
                IMAGES[str(arguments[0])]
                if node.operator == "load"
                else _function(node.operator)(*arguments)
            )
    return values[plan.goals[0].id]


@cache
def _function(operator: str):  # type: ignore[no-untyped-def] # kernels have no common type
    found = registry().find(operator, ("vox1",))
    assert found is not None
    return registry().function(found.qualified)


def array(text: str) -> NDArray[Any]:
    """Evaluate an expression whose value is an image."""
    result = run(text)
    assert isinstance(result, Image)
    return result.array


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("N a", "near(a)"),
        ("I N a", "interior(near(a))"),
        ("T(a, b)", "touch(a, b)"),
        ("a T b", "touch(a, b)"),
        ("S(a, b)", "surrounded(a, b)"),
        ("~>(a, b)", "through(b, a)"),
        ("B+ a", "near(a) & !a"),
        ("distlt(2, a)", "pdt(a) <. 2"),
        ("distgt(1, a)", "pdt(a) >. 1"),
        ("xor(a, b)", "(a | b) & !(a & b)"),
        ("eq(2, n)", "(n <=. 2) & (n >=. 2)"),
        ("geq(2, n)", "n >=. 2"),
        ("leq(2, n)", "n <=. 2"),
        ("multiply(n, n)", "n * n"),
        ("multiply(n, 3)", "3 .* n"),
        ("ccthrough(b, lcc(a))", "through(b, a)"),
        # Labels that adjoin, and the background.
        ("ccthrough(n =. 3, n)", "n =. 3"),
        ("ccthrough(n =. 0, n)", "ff"),
        ("ifB(true, a, b)", "a"),
        ("ifB(false, a, b)", "b"),
        ("ifB(vol(a) .>. 2, tt, b)", "a | !a"),
        ("ifN(true, n, a)", "n"),
        ("ifN(false, n, 2 .* n)", "2 .* n"),
        ("overlayB(b, a, !a)", "ifB(false, a, (b & !a) | (a \\ b))"),
        ("Lcc(a)", "lcc(a)"),
        ("maskCC(b, a)", "mask(lcc(a), b)"),
        ("booleanToNumber(3, a)", "mask(constant(3), a)"),
        ("norm(4, n)", "(4 .* n) /. 8"),
    ],
)
def test_images(text: str, same: str) -> None:
    """A definition of the library is equal to its specification."""
    np.testing.assert_array_equal(array(text), array(same))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vol(a)", 5),
        ("emptyB(e)", True),
        ("emptyB(a)", False),
        ("nemptyB(a)", True),
        ("eqB(a, a)", True),
        ("eqB(a, b)", False),
        ("neqB(a, b)", True),
        ("leqB(a & b, a)", True),
        ("leqB(a, b)", False),
        ("minCC(a, a)", 0),
        ("maxCC(b, a)", 1),
        ("collect(e, a)", True),
        ("collect(a & b, a)", True),
        ("collect(a, a)", False),
        ("collect(a, tt)", True),
        ("collect(b, a)", False),
    ],
)
def test_predicates(text: str, value: float) -> None:
    """Predicates of masks have the right values."""
    assert run(text) == value


def test_division_without_zeros() -> None:
    """Where the divisor is 0, the third argument is taken, a number or an image."""
    expected = np.where(NUMBERS == 0, 9.0, 2 / np.where(NUMBERS == 0, 1, NUMBERS))
    np.testing.assert_allclose(array("divZ(constant(2), n, 9)"), expected, rtol=1e-6)
    np.testing.assert_allclose(array("divZ(constant(2), n, constant(9))"), expected, rtol=1e-6)


def test_overlay_paints_a_colour() -> None:
    """The mask is painted, the rest remains grey."""
    colours = array("overlayColor(a, n, 255, 10, 0)")
    np.testing.assert_array_equal(colours[A == 1], [[255, 10, 0]] * 5)
    np.testing.assert_array_equal(colours[A == 0], np.repeat(NUMBERS[A == 0], 3).reshape(-1, 3))


def test_an_overlay_takes_masks_and_images() -> None:
    """The third argument where the mask is true, elsewhere the second."""
    np.testing.assert_array_equal(array("overlayB(a, n, 2 * n)"), np.where(A, 2 * NUMBERS, NUMBERS))
    np.testing.assert_array_equal(array("overlayB(a, b, !b)"), np.where(A, 1 - B, B))


def test_likeness_is_a_correlation_with_the_whole_image() -> None:
    """`a ~ b` and its long form compare the windows of a with the whole of b."""
    assert array("n ~ n").shape == NUMBERS.shape
    np.testing.assert_array_equal(array("n ~ n"), array("~(n, n, 5, 100)"))
    np.testing.assert_array_equal(array("n ~[1, 4] n"), array("~(n, n, 1, 4)"))
    np.testing.assert_array_equal(
        array("~(n, n, 1, 4)"), array("crossCorrelation(1, n, n, tt, min(n), max(n), 4)")
    )


def test_every_definition_can_be_used() -> None:
    """Each name of a library refers to something that the kernels know."""
    for namespace in NAMESPACES:
        for _, define in definitions(namespace):
            parameters = ", ".join(token.text for token in define.header.parameters or ())
            call = f"{define.header.name.text}({parameters})"
            program = f'import "{namespace}"\nlet use({parameters}) = {call}'
            assert check_text(program) == (), call


def test_vox1_includes_the_library() -> None:
    """`import "vox1"` is enough for the short names."""
    program = 'import "vox1"\nload a = "f"\nprint "x" volume(N a)'
    assert len(compile_text(program).plan.nodes) == 4


def test_names_of_a_library_have_its_namespace() -> None:
    """A library's names may be qualified by its namespace."""
    np.testing.assert_array_equal(array("vox1.xor(a, vox1.N(b))"), array("xor(a, N b)"))


def test_simpleitk_reads_images() -> None:
    """`ReadImage` is how programs of VoxLogicA 2 load an image."""
    text = 'import "simpleitk"\nlet i = ReadImage("a.nii")\nprint "x" {}'
    assert goal_text(text.format("Abs(i)")) == "Abs(load('a.nii'))"
    assert goal_text(text.format("index(MinimumMaximum(i), 1)")) == (
        "index(sequence(vox1.min(load('a.nii')), vox1.max(load('a.nii'))), 1.0)"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("o(a, b)", True),
        ("po(a, b)", True),
        ("dr(a, b)", False),
        ("pp(a & b, a)", True),
        ("tpp(a & b, a)", True),
        ("ntpp(a & b, a)", False),
        ("ntpp(a & b, tt)", True),
        ("eq(a, a)", True),
        ("eq(e, e)", False),
        ("ec(a, b \\ a)", True),
        ("dc(a & b, maxvol(a) \\ N(a & b))", False),
        ("p(e, a)", False),
        ("ppi(a, a & b)", True),
        ("ntppi(a, a & b)", False),
    ],
)
def test_regions_are_related(text: str, value: bool) -> None:
    """The relations of the region calculus hold as defined."""
    assert run(text, 'import "RegionCalculus"\n') == value
