"""Tables of operations as files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from voxk8s.cli.input_file import Input
from voxk8s.cli.trace_file import TraceFile
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine
from voxk8s.history.trace import COLUMNS
from voxk8s.program import compile_with_places
from voxk8s.storage import open_store


@pytest.mark.parametrize(("name", "separator"), [("t.tsv", "\t"), ("new/T.CSV", ","), ("t", "\t")])
def test_the_suffix_decides_what_separates_columns(
    tmp_path: Path, name: str, separator: str
) -> None:
    """Cells with commas and quotes are quoted where they need it."""
    program = 'a,"b".imgql'
    compiled = compile_with_places('print "x" 1 .+. 2', name=program)
    engine = ExecutionEngine(open_store("memory://"), executor="synchronous")
    result = engine.execute_workplan(compiled.plan, places=compiled.origins)
    assert TraceFile(str(tmp_path / name)).write(result, Input(compiled.plan, compiled.origins))
    with (tmp_path / name).open(newline="") as file:
        heads, row = csv.reader(file, delimiter=separator)
    assert tuple(heads) == COLUMNS
    assert row[-2] == f"{program}:1:13"


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before the run if that is known, and an error after it otherwise."""
    with pytest.raises(InvalidUsage, match=r"--trace .*: expected a file name, found a folder"):
        TraceFile(str(tmp_path))
    trace = TraceFile(str(tmp_path / "t.tsv"))
    (tmp_path / "t.tsv").mkdir()
    compiled = compile_with_places('print "x" 1 .+. 2', name="a.imgql")
    result = ExecutionEngine(open_store("memory://")).execute_workplan(compiled.plan)
    assert not trace.write(result, Input(compiled.plan))
    assert "cannot write the trace" in capsys.readouterr().err
