"""Tests of the regular expressions of the grammar."""

from __future__ import annotations

import re

import pytest

from voxk8s.imgql.syntax import grammar


@pytest.mark.parametrize("text", ["3", "3.5", ".5", "1e-3", "2.5E+2"])
def test_numbers(text: str) -> None:
    """Digits, a point and an exponent are a number."""
    assert re.fullmatch(grammar.NUMBER, text)


@pytest.mark.parametrize("text", ["a", "_1", "e5", "1e", "3.x", "."])
def test_what_is_not_a_number(text: str) -> None:
    """A number begins with a digit or a point, and an exponent has digits."""
    assert not re.fullmatch(grammar.NUMBER, text)


@pytest.mark.parametrize("text", ["a = 1", "f(x, y) = x", "+?(a, b) = a", "a =-3", "a =$P"])
def test_definitions_without_let(text: str) -> None:
    """A name, parameters and an `=` are a definition."""
    assert grammar.BARE.match(text)


@pytest.mark.parametrize("text", ["a == 1", "+? = 1", "f(x)", "a + b = 1", "f(1) = 2"])
def test_what_is_not_a_definition(text: str) -> None:
    """A comparison or an operator without parameters is not a definition."""
    assert not grammar.BARE.match(text)
