"""What a report shows of a run: every part beyond the counts is optional."""

from __future__ import annotations

import pytest

from voxk8s import report
from voxk8s.report import Counts, Goal, Run


def test_a_run_of_only_counts_has_a_page() -> None:
    """Defaults of all other fields can be rendered."""
    page = report.report(Run("plan.json", 0.0, 0.0, "succeeded", Counts()))
    assert "<h1>plan.json" in page
    assert "The plan has none." in page


def test_a_goal_needs_a_name_and_a_kind() -> None:
    """Defaults of a goal without a value, link or picture can be rendered."""
    page = report.report(
        Run("plan.json", 0.0, 0.0, "failed", Counts(), goals=(Goal("volume", "print"),))
    )
    assert '<th scope="row">volume</th>' in page


def test_runs_do_not_change() -> None:
    """The data of a run is frozen."""
    run = Run("plan.json", 0.0, 0.0, "succeeded", Counts())
    with pytest.raises(AttributeError):
        run.title = "other"  # type: ignore[misc]  # what the type checker refuses, too
