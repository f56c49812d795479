"""Locations in a program."""

from __future__ import annotations

from voxk8s.plan.source_location import Call, SourceLocation


def test_a_location_reads_as_editors_expect() -> None:
    """File, line and column, and no calls outside of functions."""
    location = SourceLocation("a.imgql", 3, 7)
    assert str(location) == "a.imgql:3:7"
    assert location.call_chain == ""


def test_the_innermost_calls_are_named() -> None:
    """Of four calls the first three are, and that there are more."""
    calls = tuple(Call(name, f"a.imgql:{line}:1") for line, name in enumerate("fghi", 1))
    assert SourceLocation("a", 1, 1, calls[:1]).call_chain == " (in f, called at a.imgql:1:1)"
    assert SourceLocation("a", 1, 1, calls).call_chain == (
        " (in f, called at a.imgql:1:1, in g, called at a.imgql:2:1,"
        " in h, called at a.imgql:3:1, …)"
    )
