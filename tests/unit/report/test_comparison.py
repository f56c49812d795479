"""What differs between two runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from voxk8s.report import Counts, InputFile, KernelTotal
from voxk8s.report.comparison import MOST_LINES, Change, compare
from voxk8s.report.embedded import FORMAT, GoalSummary, Summary


def run(**parts: Any) -> Summary:
    """Make a run in short."""
    whole = Summary(FORMAT, "a.imgql", 1e9, 2.0, "succeeded", Counts())
    return msgspec.structs.replace(whole, **parts)


def test_equal_runs_have_no_difference() -> None:
    """Neither in what went in, nor in what came out."""
    given = run(program="x", inputs=(InputFile("a", "d", 1),), goals=(GoalSummary("g", "print"),))
    found = compare(given, given)
    assert (found.changes, found.program, found.differing) == ((), (), ())


def test_what_went_in_is_compared() -> None:
    """Parameters, inputs by digest, versions, settings, and the lines of the program."""
    before = run(
        program="one\ntwo\n",
        parameters=(("CASE", "1"),),
        inputs=(InputFile("scan.nii", "a" * 64, 1024, "image"), InputFile("same", "c" * 64, 1)),
        versions=(("numpy", "2.0"), ("old", "1")),
        facts=(("threads", "4"),),
    )
    after = run(
        program="one\nthree\n",
        parameters=(("CASE", "2"),),
        inputs=(InputFile("scan.nii", "b" * 64, 2048, "image"), InputFile("same", "c" * 64, 1)),
        versions=(("numpy", "2.1"),),
        facts=(("threads", "8"),),
    )
    found = compare(before, after)
    assert found.changes == (
        Change("parameter", "CASE", "1", "2"),
        Change(
            "input",
            "scan.nii",
            f"SHA-256 {'a' * 16}…, 1 KiB, image",
            f"SHA-256 {'b' * 16}…, 2 KiB, image",
        ),
        Change("version", "numpy", "2.0", "2.1"),
        Change("version", "old", "1", "none"),
        Change("setting", "threads", "4", "8"),
    )
    assert found.program[-3:] == (" one", "-two", "+three")


@pytest.mark.parametrize(
    ("before", "after", "state", "difference"),
    [
        (GoalSummary("g", "print", "8.0", "d"), GoalSummary("g", "print", "8.0", "d"), "same", ""),
        (
            GoalSummary("g", "print", "8.0", "d"),
            GoalSummary("g", "print", "10.0", "e"),
            "changed",
            "+2 (+25 %)",
        ),
        (GoalSummary("g", "print", "0", "d"), GoalSummary("g", "print", "1", "e"), "changed", "+1"),
        (GoalSummary("g", "save", "", "d"), GoalSummary("g", "save", "", "e"), "changed", ""),
        (GoalSummary("g", "print", "1"), GoalSummary("g", "print", error="no"), "changed", ""),
        (GoalSummary("g", "print", error="no"), GoalSummary("g", "print", error="no"), "same", ""),
        (None, GoalSummary("g", "print"), "only in B", ""),
        (GoalSummary("g", "print"), None, "only in A", ""),
    ],
)
def test_results_are_the_same_if_their_digests_are(
    before: GoalSummary | None, after: GoalSummary | None, state: str, difference: str
) -> None:
    """Numbers that are not have their difference."""
    found = compare(run(goals=(before,) if before else ()), run(goals=(after,) if after else ()))
    (pair,) = found.results
    assert (pair.state, pair.difference) == (state, difference)


def test_results_of_one_name_are_compared_in_their_order() -> None:
    """The second with the second."""
    goals = tuple(GoalSummary("g", "print", value) for value in ("1", "2"))
    found = compare(run(goals=goals), run(goals=(*goals[:1], GoalSummary("g", "print", "3"))))
    assert [(each.state, each.numbers) for each in found.results] == [
        ("same", (0, 0)),
        ("changed", (1, 1)),
    ]


def test_kernels_are_compared() -> None:
    """Those with most time come first, also those that only one run has."""
    found = compare(
        run(kernels=(KernelTotal("near", 2, 1.0, 1.0, 1),)),
        run(kernels=(KernelTotal("near", 1, 3.0, 1.0, 1), KernelTotal("grow", 1, 9.0, 9.0, 1))),
    ).kernels
    assert [(each.kernel, each.counts, each.seconds) for each in found] == [
        ("grow", (0, 1), (0.0, 9.0)),
        ("near", (2, 1), (1.0, 3.0)),
    ]


def test_a_long_program_is_cut() -> None:
    """The page has its bounds."""
    found = compare(run(), run(program="\n".join(map(str, range(2 * MOST_LINES)))))
    assert (len(found.program), found.program[-1]) == (MOST_LINES + 1, "…")


def test_only_the_beginning_of_a_huge_program_is_compared() -> None:
    """The time grows with the square of its lines; that there is more is said."""
    same = "x\n" * 5000
    assert compare(run(program=same), run(program=f"{same}y")).program == ("…",)
