"""What programs read of a page."""

from __future__ import annotations

import json

from tests.unit.report.scenes import START, WHOLE, name, operation, run
from voxk8s.report import Graph, GraphNode
from voxk8s.report.embedded import as_json, listed_operations, notes, summary_of


def test_a_run_in_short() -> None:
    """What two runs are compared by: program, inputs, versions, parameters and results."""
    found = json.loads(as_json(summary_of(WHOLE, WHOLE.goals, (), 100)))
    assert found["format"] == 1
    assert found["program"] == WHOLE.program
    assert found["parameters"] == [["CASE", "7"]]
    assert [each["name"] for each in found["inputs"]] == ["scan.nii.gz", "gone.nii.gz"]
    assert [each["digest"][:1] for each in found["goals"]] == ["a", "b", "", ""]


def test_operations_are_listed() -> None:
    """Those with a line first, then the longest; texts are there once."""
    operations = tuple(operation(number, seconds=number / 4) for number in range(5))
    graph = Graph((GraphNode("vox1.near"),), (), "", {(name(1), "vox1.near"): 0})
    whole = run(operations=operations, places={name(1): "a.imgql:1:2"}, graph=graph)
    found = json.loads(as_json(listed_operations(whole, operations[:1], 4)))
    rows = found["rows"]
    assert [row[2] for row in rows] == [0, 1, 0.75, 0.5]
    assert (found["shown"], found["total"]) == (1, 5)
    rows = json.loads(as_json(listed_operations(whole, operations, 9)))["rows"]
    assert rows[1][0] == name(1)[:12]
    texts = json.loads(as_json(listed_operations(whole, operations, 9)))["texts"]
    assert [texts[rows[1][column]] for column in (1, 5, 6, 7)] == [
        "vox1.near",
        "0",
        "",
        "a.imgql:1:2",
    ]
    assert [row[8] for row in rows] == [-1, 0, -1, -1, -1]
    assert rows[3][4] == operations[3].started - START


def test_no_text_ends_its_element() -> None:
    """Nor has credentials, nor characters that a page must not have."""
    text = as_json(["</script><!--", "s3://user:hunter2@host/x", "\ud800\x00"])
    assert "<" not in text
    assert "hunter2" not in text
    assert json.loads(text)[2] == r"\xd800\x00"


def test_notes() -> None:
    """How an operation ended, in words."""
    assert notes(operation(0)) == ""
    assert notes(operation(0, failed=True, attempts=3)) == "failed after 3 attempts"
