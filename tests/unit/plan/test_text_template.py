"""Tests of templates of text; those of the kernel that fills them in test the rest."""

from __future__ import annotations

import pytest

from voxk8s.plan.text_template import fill_template


def test_values_that_are_no_numbers_are_shown_as_text() -> None:
    """By the function that is given."""
    assert fill_template("{} {:>4} {!s}", [None, True, 1], lambda value: f"<{value}>") == (
        "<None> <True> <1>"
    )


@pytest.mark.parametrize("template", ["{0.real}", "{0[0]}", "{:1001}", "{a}"])
def test_fields_are_positions(template: str) -> None:
    """Without attributes, items and excessive widths."""
    with pytest.raises(ValueError, match="expected a"):
        fill_template(template, ["x"], str)
