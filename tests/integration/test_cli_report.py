"""`voxk8s run --report`, called as a program."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import voxk8s
from tests.support.html import read_page

PROGRAM = """\
print "sum" 1 + 2
save "sum.json" 1 + 2
print "broken" test.fail("it <b>broke</b>")
"""


def test_report_of_a_run_that_failed_in_part(tmp_path: Path) -> None:
    """The report has what was reached and what was not; outputs are those without it."""
    (tmp_path / "p.imgql").write_text(PROGRAM)
    done = voxk8s(tmp_path, "run", "p.imgql", "--report", "out/report.html")
    assert (done.status, done.out) == (1, "sum=3.0\n")
    page = read_page((tmp_path / "out" / "report.html").read_text("utf-8"))
    rows = page.find("table")[0].rows()[1:]
    assert [(row[0], row[2]) for row in rows] == [
        ("sum", "computed"),
        ("sum.json", "computed"),
        ("broken", "failed"),
    ]
    (failure,) = page.find("article")
    assert "p.imgql:3:16" in failure.text
    assert 'print "broken" test.fail("it <b>broke</b>")\n               ^' in failure.text
    assert not page.find("b")
    assert page.find("svg", class_="timeline")
    assert page.find("pre", class_="program")[0].text == PROGRAM


def test_report_of_a_known_plan(tmp_path: Path) -> None:
    """A known run is reported as known and has no timeline."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\n')
    voxk8s(tmp_path, "run", "p.imgql")
    done = voxk8s(tmp_path, "run", "p.imgql", "--report", "r.html", "--json")
    assert done.status == 0
    assert done.json()["operations"]["computed"] == 0
    page = read_page((tmp_path / "r.html").read_text("utf-8"))
    assert page.find("table")[0].rows()[1][2].startswith("known")
    assert not page.find("svg", class_="timeline")


def test_place_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """Status 2 and one line."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\n')
    done = voxk8s(tmp_path, "run", "p.imgql", "--report", ".")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err == "voxk8s: --report .: expected a file name, found a folder; name another file\n"
    )


def test_report_that_cannot_be_written_costs_no_result(tmp_path: Path) -> None:
    """If the report cannot be written, values are printed and the exit status is 1."""
    (tmp_path / "p.imgql").write_text('print "sum" 1 + 2\nsave "r/x.json" 1\n')
    (tmp_path / "r").mkdir()
    done = voxk8s(tmp_path, "run", "p.imgql", "--report", "r/x.json/report.html")
    assert (done.status, done.out) == (1, "sum=3.0\n")
    assert "cannot write the report" in done.err
