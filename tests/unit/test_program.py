"""Tests of compiling programs with the kernels of this process."""

from __future__ import annotations

import pytest

import voxk8s
from voxk8s.errors import InvalidProgram


def test_a_program_is_compiled_with_the_kernels_of_this_process() -> None:
    """`voxk8s.compile_program` needs nothing but the text."""
    plan = voxk8s.compile_program('print "$A" 5 + 3', parameters={"A": "sum"})
    assert [(goal.name, len(plan.nodes)) for goal in plan.goals] == [("sum", 3)]


def test_a_wrong_program_is_refused_with_its_name() -> None:
    """Errors have the name that the caller gives."""
    with pytest.raises(InvalidProgram, match=r"case\.imgql:1:9: error: unknown name"):
        voxk8s.compile_program("let a = foo", name="case.imgql")


def test_files_are_read_by_the_caller() -> None:
    """An import asks the caller for the file, relative to the program."""
    asked = []

    def read(name: str) -> str:
        asked.append(name)
        return "let two = 2"

    voxk8s.compile_program('import "lib.imgql"\nprint "a" two', name="p/a.imgql", read_file=read)
    assert asked == ["p/lib.imgql"]
