"""Tests of the names outside functions: which hides which."""

from __future__ import annotations

from tests.support.imgql import goal_text


def test_a_prefix_operator_does_not_hide_the_infix_one() -> None:
    """A definition of a prefix operator leaves the infix one as it is."""
    text = 'let -(a) = a * 2\nprint "a" 3 - 1\nprint "b" - (1 + 1)'
    assert goal_text(text) == "subtraction(3.0, 1.0)\nmultiplication(addition(1.0, 1.0), 2.0)"


def test_later_definitions_hide_earlier_ones() -> None:
    """A name refers to the last definition before it."""
    text = 'let a = 1\nlet b = a\nlet a = a + 1\nprint "x" a\nprint "y" b'
    assert goal_text(text) == "addition(1.0, 1.0)\n1.0"


def test_definitions_hide_kernels() -> None:
    """After a definition its name no longer refers to the kernel; inside it still does."""
    text = 'print "a" floor(1)\nlet floor(x) = floor(x) + 1\nprint "b" floor(2)'
    assert goal_text(text) == "floor(1.0)\naddition(floor(2.0), 1.0)"


def test_definitions_may_follow_their_use() -> None:
    """A name that nothing above defines refers to a later definition."""
    assert goal_text('let a = b + 1\nlet b = 2\nprint "x" a') == "addition(2.0, 1.0)"
