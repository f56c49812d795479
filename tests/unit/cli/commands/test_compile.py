"""`voxk8s compile`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_compiling_a_compiled_plan_changes_nothing(
    call: Callable[..., Done], tmp_path: Path, form: str
) -> None:
    """The normal form is a fixed point."""
    (tmp_path / "p.imgql").write_text('print "xs" for i in [1, 2, 3] do i * 2 + 1\n')
    first = call("compile", "p.imgql", "--format", form)
    assert first.status == 0
    (tmp_path / f"again.{form}").write_text(first.out)
    assert call("compile", f"again.{form}", "--format", form).out == first.out


def test_json_is_the_default(call: Callable[..., Done], tmp_path: Path) -> None:
    """The document has the goals of the program, and ends with a line break."""
    (tmp_path / "p.imgql").write_text('print "é" $N + 1\n', encoding="utf-8")
    done = call("compile", "p.imgql", "--param", "N=2")
    assert done.status == 0
    assert done.out.endswith("}\n")
    assert not done.out.endswith("\n\n")
    assert [goal["name"] for goal in done.json()["goals"]] == ["é"]


def test_a_plan_is_printed_as_a_graph(call: Callable[..., Done], tmp_path: Path) -> None:
    """`--format dot` is for Graphviz."""
    (tmp_path / "p.imgql").write_text('print "x" 1 + 2\n')
    done = call("compile", "p.imgql", "--format", "dot")
    assert done.status == 0
    assert done.out.startswith("digraph")


def test_expected_values_are_not_left_out_in_silence(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """Plans have none."""
    (tmp_path / "p.imgql").write_text('print "x" 1\nexpect "x" 1\n')
    done = call("compile", "p.imgql")
    assert done.status == 0
    assert "x: plans have no expected values; a WorkPlan has them in spec.expect" in done.err
    assert call("compile", "p.imgql", "--quiet").err == ""
