"""`voxk8s run`: exit status, both outputs and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done
from tests.support.html import read_page
from tests.support.workplans import constant, operation, write_plan
from voxk8s.cli.commands.run import ReportedFailures
from voxk8s.execution.events import OperationFailed
from voxk8s.failure import Failure
from voxk8s.plan import OperationId, ResultKey

SUM = [constant("two", 2), constant("three", 3), operation("sum", "addition", "two", "three")]
MIXED = [
    *SUM,
    constant("boom", "it broke"),
    operation("bad", "test.fail", "boom"),
    constant("where", "/nowhere/x.nii"),
    operation("image", "load", "where"),
]
PROGRAM = """\
print "sum" 1 + 2
save "sum.json" 1 + 2
print "broken" test.fail("it <b>broke</b>")
"""


def test_known_plan_computes_nothing_and_writes_its_files(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """A second run finds everything, and writes files that are gone."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "sum.json": "sum"})
    assert call("run", plan).status == 0
    (tmp_path / "sum.json").unlink()
    again = call("run", plan, "--json")
    assert again.status == 0
    counts = again.json()["operations"]
    assert (counts["computed"], counts["failed"]) == (0, 0)
    assert counts["cached"] > 0
    assert (tmp_path / "sum.json").exists()


def test_json_has_goals_counts_and_failures(call: Callable[..., Done], tmp_path: Path) -> None:
    """One object: goals in order with value, path and digest, or error; counts and failures."""
    plan = write_plan(
        tmp_path, MIXED, {"sum": "sum", "broken": "bad", "img": "image", "sum.json": "sum"}
    )
    done = call("run", plan, "--json")
    assert done.status == 1
    content = done.json()
    assert content["success"] is False
    good, broken, image, file = content["goals"]
    assert [goal["name"] for goal in content["goals"]] == ["sum", "broken", "img", "sum.json"]
    assert good["value"] == 5.0
    assert "it broke" in broken["error"]
    assert "/nowhere/x.nii" in image["error"]
    written = tmp_path / file["path"]
    assert file["digest"] == f"sha256:{hashlib.sha256(written.read_bytes()).hexdigest()}"
    assert set(content["operations"]) == {"total", "computed", "cached", "failed"}
    assert {failure["kernel"] for failure in content["failures"]} == {"test.fail", "default.load"}
    assert content["seconds"] >= 0


def test_goals_that_failed_go_to_standard_error(call: Callable[..., Done], tmp_path: Path) -> None:
    """Standard output has the goals that were reached; a cause is printed once."""
    plan = write_plan(tmp_path, MIXED, {"sum": "sum", "broken": "bad"})
    done = call("run", plan, "-q")
    assert (done.status, done.out) == (1, "sum=5.0\n")
    assert "broken: " in done.err
    assert done.err.count("it broke") == 1


def test_the_store_is_not_used_with_no_cache(call: Callable[..., Done], tmp_path: Path) -> None:
    """--no-cache neither reads nor writes results; files and digests are there nevertheless."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum", "sum.json": "sum"})
    for _ in range(2):
        done = call("run", plan, "--no-cache", "--json")
        assert done.json()["operations"]["cached"] == 0
        assert done.json()["operations"]["computed"] > 0
    digest = hashlib.sha256((tmp_path / "sum.json").read_bytes()).hexdigest()
    assert done.json()["goals"][1]["digest"] == f"sha256:{digest}"
    assert call("store", "stats", "--json").json()["records"] == 0


def test_known_results_are_computed_again_with_refresh(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """--refresh does not read results."""
    plan = write_plan(tmp_path, SUM, {"sum": "sum"})
    call("run", plan)
    done = call("run", plan, "--refresh", "--json")
    assert done.json()["operations"] == {"total": 1, "computed": 1, "cached": 0, "failed": 0}


def test_file_that_leaves_the_output_folder_is_refused(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """With --output, `..` in the name of a file is an invalid plan."""
    plan = write_plan(tmp_path, SUM, {"../sum.json": "sum"})
    done = call("run", plan, "--output", "out")
    assert (done.status, done.out) == (2, "")
    assert not (tmp_path / "sum.json").exists()


def test_programs_run_with_parameters_and_imports(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """The values of `--param` replace the parameters."""
    (tmp_path / "lib.imgql").write_text("let twice(x) = x + x\n")
    (tmp_path / "p.imgql").write_text('import "lib.imgql"\nprint "n" twice($N)\n')
    done = call("run", "p.imgql", "--param", "N=21")
    assert (done.status, done.out) == (0, "n=42.0\n")


def test_failures_of_a_program_point_to_its_lines(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """An error of a kernel has file, line and column, also in loops, imports and inputs."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "half.imgql").write_text("// Halves\nlet half(x) = 1 / (x - 2)\n")
    (tmp_path / "p.imgql").write_text(
        'import "vox1"\nimport "lib/half.imgql"\n'
        'print "halves" for i in range(0, 4) do half(i)\n'
        'print "names" for name in dir(".", "*.txt", false, false) do\n  volume(load(name))\n'
        'print "fine" 1 + 1\n'
    )
    (tmp_path / "a.txt").write_text("no image")
    done = call("run", "p.imgql", "--json")
    assert done.status == 1
    messages = [failure["message"] for failure in done.json()["failures"]]
    assert sorted(message.split(": ")[0] for message in messages) == [
        "lib/half.imgql:2:17",
        "p.imgql:5:10",
    ]
    errors = [goal.get("error", "") for goal in done.json()["goals"]]
    assert [bool(error) for error in errors] == [True, True, False]
    assert errors[0].startswith("lib/half.imgql:2:17: default.division")
    lines = done.err.splitlines()
    assert [line for line in lines if line.startswith("p.imgql:5:10: error: ")]
    assert "  let half(x) = 1 / (x - 2)" in lines


def test_missing_inputs_of_a_loop_point_to_its_line(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """Each input has an error of its own."""
    (tmp_path / "p.imgql").write_text(
        'import "strings"\nprint "n" for i in ["a", "b"] do\n  load(concat(i, ".nii"))\n'
    )
    lines = call("run", "p.imgql").err.splitlines()
    assert sum(line.startswith("p.imgql:3:3: error") for line in lines) == 2


def test_report_of_a_run_that_failed_in_part(call: Callable[..., Done], tmp_path: Path) -> None:
    """The report has what was reached and what was not; outputs are those without it."""
    (tmp_path / "p.imgql").write_text(PROGRAM)
    done = call("run", "p.imgql", "--report", "out/report.html")
    assert (done.status, done.out) == (1, "sum=3.0\n")
    page = read_page((tmp_path / "out" / "report.html").read_text("utf-8"))
    rows = page.find("table")[0].rows()[1:]
    assert [(row[0], row[2]) for row in rows] == [
        ("sum", "computedfrom line 1"),
        ("sum.json", "computedfrom line 2"),
        ("broken", "failedfrom line 3"),
    ]
    (failure,) = page.find("article")
    assert "p.imgql:3:16" in failure.text
    assert 'print "broken" test.fail("it <b>broke</b>")\n               ^' in failure.text
    assert not page.find("b")
    assert page.find("svg", class_="timeline")
    assert page.find("pre", class_="program")[0].text == PROGRAM


def test_report_of_a_known_plan(call: Callable[..., Done], tmp_path: Path) -> None:
    """A known run is reported as known and has no timeline."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\n')
    call("run", "p.imgql")
    done = call("run", "p.imgql", "--report", "r.html", "--json")
    assert done.status == 0
    assert done.json()["operations"]["computed"] == 0
    page = read_page((tmp_path / "r.html").read_text("utf-8"))
    assert page.find("table")[0].rows()[1][2].startswith("known")
    assert not page.find("svg", class_="timeline")


def test_impossible_report_is_refused_before_anything_runs(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """The exit status is 2, and the message is one line."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\n')
    done = call("run", "p.imgql", "--report", ".")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err == "voxk8s: --report .: expected a file name, found a folder; name another file\n"
    )


def test_report_that_cannot_be_written_costs_no_result(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """Values are printed, and the exit status is 1."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\nsave "r/x.json" 1\n')
    (tmp_path / "r").mkdir()
    done = call("run", "p.imgql", "--report", "r/x.json/report.html")
    assert (done.status, done.out) == (1, "sum=3.0\n")
    assert "cannot write the report" in done.err


@pytest.mark.parametrize("logged", [True, False])
def test_the_cause_of_a_failure_is_repeated_unless_the_log_has_it(logged: bool) -> None:
    """A failure that no event reported is printed with its cause."""
    failure = Failure("no mask", error="KernelError", kernel="k", operation=OperationId("a" * 64))
    reported = ReportedFailures()
    if logged:
        reported(OperationFailed(ResultKey("b" * 64), failure))
    assert ("no mask" in reported.text(failure)) is not logged


def test_an_unexpected_value_has_a_status_of_its_own(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """All results are delivered; the difference is said."""
    (tmp_path / "p.imgql").write_text('print "dice" 0.75\nexpect "dice" 0.8 within $T')
    done = call("run", "p.imgql", "--param", "T=0.01", "-q")
    assert (done.status, done.out) == (3, "dice=0.75\n")
    assert done.err == "voxk8s: dice: expected 0.8 within 0.01, found 0.75\n"
    assert call("run", "p.imgql", "--param", "T=0.1").status == 0


def test_an_input_is_never_replaced(call: Callable[..., Done], tmp_path: Path) -> None:
    """Neither one that the program names nor one that it finds in a folder."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.json").write_text("[3]")
    named = tmp_path / "named.imgql"
    named.write_text('let a = load("data/a.json")\nsave "data/../data/a.json" a[0]')
    refused = call("run", "named.imgql", "--allow-all")
    assert refused.status == 2
    assert "'data/../data/a.json' is an input of the same plan" in refused.err
    found = 'save "data/a.json" for f in dir("data", "*.json", false, true) do load(f)[0]'
    (tmp_path / "found.imgql").write_text(found)
    failed = call("run", "found.imgql")
    assert failed.status == 1
    assert "data/a.json cannot be written: it is an input of this run" in failed.err
    assert (data / "a.json").read_text() == "[3]"


def test_a_program_without_goals_is_said(call: Callable[..., Done], tmp_path: Path) -> None:
    """Nothing is computed."""
    (tmp_path / "p.imgql").write_text("let a = 1")
    for command in ("run", "check"):
        assert "p.imgql has no goals, so nothing is computed" in call(command, "p.imgql").err


def test_what_fails_may_have_another_value(call: Callable[..., Done], tmp_path: Path) -> None:
    """A damaged input or a wrong operation; the failure is reported, the table is whole."""
    (tmp_path / "bad.json").write_text("[")
    (tmp_path / "p.imgql").write_text(
        'print "rows" for x in [1, 0, 4] do recover(1 / x, -1)\n'
        'print "bad" recover(load("bad.json")[0], "none")\n'
        'print "lost" recover(1 / 0, 2 / 0)\n'
    )
    done = call("run", "p.imgql")
    assert (done.status, done.out) == (1, "rows=[1.0,-1.0,0.25]\nbad=none\n")
    assert "division by zero: 1.0 / 0.0" in done.err
    assert "voxk8s: lost: " in done.err
    again = call("run", "p.imgql")
    assert again.out == done.out


def test_a_result_that_is_not_finite_is_said(call: Callable[..., Done], tmp_path: Path) -> None:
    """With the place of the operation that gave it."""
    (tmp_path / "p.imgql").write_text('let b = blank(2, 2)\nprint "ratio" max(b / b)\n')
    done = call("run", "p.imgql")
    assert (done.status, done.out) == (0, "ratio=nan\n")
    assert (
        "voxk8s: warning: ratio has NaN in it, which began in default.division (p.imgql:2:21)\n"
        in done.err
    )
    (tmp_path / "q.imgql").write_text('print "x" [max(blank(1, 1) / blank(1, 1, 0)), 1]')
    said = call("run", "q.imgql").err
    assert "x has NaN in it, which began in default.division (q.imgql:1:28)" in said


def test_a_fold_goes_on_without_items_that_fail(call: Callable[..., Done], tmp_path: Path) -> None:
    """Though the program spells out the list; the same program fails without the option."""
    (tmp_path / "p.imgql").write_text('print "s" fold + 0 (for x in [1, 0, 2] do 1 / x)\n')
    done = call("run", "p.imgql", "--on-item-failure", "skip")
    assert (done.status, done.out) == (0, "s=1.5\n")
    assert "item 1 (0.0) is skipped" in done.err
    assert call("run", "p.imgql").status == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report-voxels", "5"], "name its file with --report FILE"),
        (["--report-voxels", "much"], "expected megabytes, such as 5, got 'much'"),
    ],
)
def test_voxels_are_for_a_report(
    call: Callable[..., Done], tmp_path: Path, arguments: list[str], words: str
) -> None:
    """Without one they are refused before anything runs."""
    done = call("run", write_plan(tmp_path, SUM, {"sum": "sum"}), *arguments)
    assert done.status == 2
    assert words in done.err
    assert done.out == ""
