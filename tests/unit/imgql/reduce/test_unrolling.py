"""Tests of unrolling: folds over sequences that are known at compile time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.imgql import value_text
from voxk8s.plan.model import Operation
from voxk8s.program import compile_with_places


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("fold + 0 [1, 2]", "addition(addition(0.0, 1.0), 2.0)"),
        ("fold - 10 range(2)", "subtraction(subtraction(10.0, 0), 1)"),
        ("fold + -1 [1]", "addition(-1.0, 1.0)"),
        ("fold + (1 + 1) [1]", "addition(addition(1.0, 1.0), 1.0)"),
        ("fold + floor(2) [1]", "addition(floor(2.0), 1.0)"),
        (
            "fold + 0 for i in [1, 2] do i * i",
            "addition(addition(0.0, multiplication(1.0, 1.0)), multiplication(2.0, 2.0))",
        ),
        ("fold + 0 [4, 6] / 2", "addition(addition(0.0, division(4.0, 2.0)), division(6.0, 2.0))"),
        ("fold * 1 range(5)[1:3]", "multiplication(multiplication(1.0, 1), 2)"),
        ("1 + fold + 0 []", "addition(1.0, 0.0)"),
        (
            "let k = 3 in let f(a, b) = a + b * k in fold f 0 [1]",
            "addition(0.0, multiplication(1.0, 3.0))",
        ),
    ],
)
def test_folds_over_known_sequences_are_unrolled(text: str, plan: str) -> None:
    """`fold` goes from the left; init is an atom or in parentheses."""
    assert value_text(text) == plan


@given(st.lists(st.integers(0, 99), max_size=5), st.sampled_from("+*-"))
def test_folds_equal_their_unrolled_form(items: list[int], sign: str) -> None:
    """`fold` is the operations with parentheses on the left."""
    written = "7"
    for item in items:
        written = f"({written} {sign} {item})"
    listed = ", ".join(map(str, items))
    assert value_text(f"fold {sign} 7 [{listed}]") == value_text(written)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        (
            'fold + 0 (for f in dir("d") do volume(load f))',
            (
                "fold({addition(accumulator, item) | accumulator=0.0},"
                " map({volume(load(item))}, dir('d')))"
            ),
        ),
        (
            'let k = volume(img) in let f(a, b) = a + (b * k) in fold f 0 argsort(dir("d"))',
            (
                "fold({addition(accumulator, multiplication(item, c0))"
                " | c0=volume(load('a.nii')), accumulator=0.0}, argsort(dir('d')))"
            ),
        ),
        (
            'for k in range(2) do fold + k argsort(dir("d"))',
            (
                "map({fold({addition(accumulator, item) | accumulator=item}, c0)"
                " | c0=argsort(dir('d'))}, range(2.0))"
            ),
        ),
        (
            'let first(a, b) = a in fold first 7 dir("d")',
            "fold({accumulator | accumulator=7.0}, dir('d'))",
        ),
        (
            'let last(a, b) = b in fold last 7 dir("d")',
            "fold({item | accumulator=7.0}, dir('d'))",
        ),
        (
            "fold + 0 range(1000000)",
            "fold({addition(accumulator, item) | accumulator=0.0}, range(1000000.0))",
        ),
    ],
)
def test_a_fold_over_an_unknown_sequence_is_a_node(text: str, plan: str) -> None:
    """The function becomes a closure that captures the initial value."""
    assert value_text(text) == plan


@pytest.mark.parametrize(
    "loop",
    [
        "(for i in [1, 2] do i)",
        "((for i in range(3) do i) * 2)[1:]",
        "[1 / 2, 3]",
        "([4, 6] / 2)[1:]",
    ],
)
def test_folds_remain_folds_if_items_may_be_skipped(loop: str) -> None:
    """Unless the first value needs the geometry of the items: then all are expanded."""

    def kernels(text: str) -> set[str]:
        plan = compile_with_places(text, skips=True).plan
        return {node.operator for node in plan.nodes.values() if isinstance(node, Operation)}

    assert {"fold", "map"} <= kernels(f'print "x" fold + 0 {loop}')
    assert "fold" not in kernels('print "x" fold + 0 [1, 2]')
    assert "map" in kernels('print "x" fold max [1 / 2, 3]')
    masks = 'import "vox1"\nprint "x" volume(fold | ff (for p in ["a.nii"] do load(p) >. 1))'
    assert "fold" not in kernels(masks)
