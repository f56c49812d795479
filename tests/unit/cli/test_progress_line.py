"""Tests of the progress line."""

from __future__ import annotations

import dataclasses
import io

from voxk8s.cli.progress_line import ProgressLine
from voxk8s.execution import Progress
from voxk8s.execution.events import ProgressChanged, RunFinished

PROGRESS = Progress(total=40, cached=9, computed=3, failed=0, running=1, pending=27)


def test_terminal_gets_one_line_that_is_rewritten_now_and_then() -> None:
    """Changes that follow each other closely are not shown one by one."""
    now = [0.0]
    stream = io.StringIO()
    line = ProgressLine(stream, live=True, clock=lambda: now[0])
    for moment in (0.0, 0.1, 0.3):
        now[0] = moment
        line(ProgressChanged(PROGRESS))
    assert stream.getvalue().count("\r") == 2
    assert "12/40 operations: 3 computed, 9 known, 0 failed" in stream.getvalue()
    assert "\n" not in stream.getvalue()


def test_file_gets_the_end_only() -> None:
    """Without a terminal there is one line, without control characters."""
    stream = io.StringIO()
    line = ProgressLine(stream, live=False)
    line(ProgressChanged(PROGRESS))
    line(RunFinished("r", True, 1.5, PROGRESS))
    expected = "12/40 operations: 3 computed, 9 known, 0 failed in 1.50 s\n"
    assert stream.getvalue() == expected


def test_terminal_shows_the_time_left() -> None:
    """The estimate stands behind the counts; the summary at the end has none."""
    stream = io.StringIO()
    line = ProgressLine(stream, live=True)
    line(ProgressChanged(dataclasses.replace(PROGRESS, seconds_left=125.0)))
    assert stream.getvalue().endswith("0 failed, about 2 min left")
    line(RunFinished("r", True, 1.5, PROGRESS))
    assert stream.getvalue().endswith("0 failed in 1.50 s\n")
