"""The page that compares two runs."""

from __future__ import annotations

from msgspec.structs import replace

from tests.support.html import Element, read_page
from tests.unit.report.scenes import WHOLE
from tests.unit.report.test_page import EVIL
from voxk8s.report import KernelTotal
from voxk8s.report.comparison import compare
from voxk8s.report.comparison_page import comparison_page
from voxk8s.report.embedded import GoalSummary, Summary, summary_of

A = summary_of(WHOLE, WHOLE.goals, (KernelTotal("vox1.near", 2, 4.0, 3.0, 1),), 100)
B = replace(
    A,
    program=A.program.replace("volume(scan)", "volume(other)"),
    parameters=(("CASE", "8"),),
    goals=(GoalSummary("volume", "print", "762307.0", "e" * 64), *A.goals[1:]),
    kernels=(KernelTotal("vox1.near", 1, 1.0, 1.0, 1),),
)
PICTURES = ({1: "data:image/png;base64,AA=="}, {1: "data:image/png;base64,BB=="})


def page(before: Summary, after: Summary) -> Element:
    """Return the comparison of two runs."""
    return read_page(comparison_page(compare(before, after), PICTURES))


def test_what_differs_comes_first() -> None:
    """The headline counts it; what is the same is folded."""
    found = page(A, B)
    assert "1 of 4 results differ. What went in differs." in found.text
    (change,) = found.find("table")[1].rows()[1:]
    assert change == ["parameter CASE", "7", "8"]
    assert found.find("ins")[1].text == '+print "volume" volume(other)'
    changed, same, kernels = found.find("table")[2:]
    assert [row[0] for row in changed.rows()[1:]] == ["volume"]
    assert changed.rows()[1][3].startswith("+1 (")
    assert len(same.rows()) == 4
    assert kernels.rows()[1] == ["vox1.near", "2", "1", "4 s", "1 s", "× 0.50"]


def test_pictures_stand_beside_each_other() -> None:
    """Each in the column of its run."""
    row = page(A, B).find("details")[0].find("tr")[1]
    assert [each.attributes["src"][-4:-2] for each in row.find("img")] == ["AA", "BB"]


def test_equal_runs_say_so() -> None:
    """In the headline."""
    found = page(A, A)
    assert "All 4 results are the same. The same went in." in found.text
    assert "open" in found.find("details")[0].attributes


def test_results_that_no_report_has_are_not_called_the_same() -> None:
    """Of many results, a report has the first; how many are not compared is said."""
    many = replace(WHOLE, goals=WHOLE.goals * 2)
    cut = summary_of(many, WHOLE.goals, (), 100)
    found = page(cut, cut).text
    assert "The 4 results that were compared are the same." in found
    assert "4 of A and 4 of B are not compared." in found
    assert "All" not in found


def test_a_mean_time_that_no_number_holds() -> None:
    """Times of a stranger may be too small for their ratio: it is infinite, and no error."""
    fast = replace(A, kernels=(KernelTotal("vox1.near", 2**53, 5e-324, 0.0, 1),))
    assert page(fast, A).find("table")[-1].rows()[1][5] == "× inf"


def test_texts_are_shown_and_not_obeyed() -> None:
    """A page of a stranger may have anything in it."""
    evil = Summary(
        1,
        EVIL,
        1e300,
        -1.0,
        EVIL,
        A.counts,
        EVIL,
        ((EVIL, EVIL),),
        ((EVIL, EVIL),),
        ((EVIL, EVIL),),
        (),
        (GoalSummary(EVIL, EVIL, EVIL, EVIL, 1, EVIL, error=EVIL),),
        (KernelTotal(EVIL, 1, 1.0, 1.0, 1),),
    )
    found = page(evil, A)
    assert not found.find("script")
    assert EVIL in found.text
