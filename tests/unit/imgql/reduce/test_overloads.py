"""Tests of operators that are overloaded for images and numbers."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, value_text

HEAD = 'import "vox1"\nload img = "a.nii"\n'


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("img < 3", "lt_sv(3.0, load('a.nii'))"),
        ("3 < img", "gt_sv(3.0, load('a.nii'))"),
        ("img >= 3", "geq_sv(3.0, load('a.nii'))"),
        ("3 >= img", "leq_sv(3.0, load('a.nii'))"),
        ("img == 3", "eq_sv(3.0, load('a.nii'))"),
        ("img > volume(img)", "gt_sv(volume(load('a.nii')), load('a.nii'))"),
        ("(for n in [1] do img > n)", "map({gt_sv(item, c0) | c0=load('a.nii')}, sequence(1.0))"),
    ],
)
def test_an_image_compared_with_a_number_is_a_mask(text: str, kernel: str) -> None:
    """Plain signs mean the dotted ones: VoxLogicA 1 had no others."""
    assert value_text(text) == kernel


def test_comparisons_without_a_known_type_may_be_masks() -> None:
    """The same function may compare numbers in one call and images in another."""
    head = f"{HEAD}let f(a) = a > 3\nlet g(a) = near(f(a))\n"
    assert not check_text(f'{head}print "x" volume(g(img))\nprint "y" f(4) && true')
    assert "must be a mask, not a truth value" in compile_error(f'{head}print "x" g(4)')
