"""Tests of the progress line."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence

from tests.support.waiting import wait_until
from voxk8s.cli.progress_line import ProgressLine
from voxk8s.execution import Progress
from voxk8s.execution.events import ProgressChanged, RunFinished

PROGRESS = Progress(total=40, cached=9, computed=3, failed=0, running=1, pending=27)


def shown(moments: Sequence[float], *, live: bool, columns: int = 200) -> list[str]:
    """Return what is written when the same progress is told at these moments."""
    now, stream = [0.0], io.StringIO()
    line = ProgressLine(
        stream,
        live=live,
        clock=lambda: now[0],
        busy=lambda: [("vox1.dt", 75.0), ("vox1.not", 0.1)],
        memory=lambda: 1_500_000_000,
        columns=lambda: columns,
    )
    with line:
        for moment in moments:
            now[0] = moment
            line(ProgressChanged(dataclasses.replace(PROGRESS, seconds_left=125.0)))
    return [text for text in stream.getvalue().split("\r\x1b[K" if live else "\n") if text]


def test_terminal_gets_one_line_that_is_rewritten_now_and_then() -> None:
    """Changes that follow each other closely are not shown one by one; what runs long is named."""
    texts = shown((0.6, 0.7, 130.0), live=True)
    assert texts == [
        f"12/40 operations: 3 computed, 9 known, 0 failed, {time}, about 2 min left, 1.5 GB,"
        " vox1.dt 1:15"
        for time in ("0 s", "2:10")
    ]


def test_a_line_is_as_long_as_the_terminal_is_wide() -> None:
    """One that wraps would not be replaced by the next."""
    (text,) = shown((0.6,), live=True, columns=40)
    assert text == "12/40 operations: 3 computed, 9 known,…"


def test_a_log_gets_a_line_a_minute() -> None:
    """Without control characters, and nothing of a short run."""
    assert shown((1.0, 59.0), live=False) == []
    (text,) = shown((1.0, 61.0, 100.0), live=False)
    assert text.startswith("voxk8s: 12/40 operations")


def test_what_runs_is_shown_while_nothing_ends() -> None:
    """A thread renews the line, and ends with the run."""
    stream = io.StringIO()
    with ProgressLine(stream, live=True) as line:
        line(ProgressChanged(PROGRESS))
        wait_until(lambda: "12/40" in stream.getvalue())
    assert stream.getvalue().endswith("\r\x1b[K")
    assert line._ticker is not None
    assert not line._ticker.is_alive()


def test_file_gets_the_end_only() -> None:
    """Without a terminal there is one line, without control characters."""
    stream = io.StringIO()
    line = ProgressLine(stream, live=False)
    line(ProgressChanged(PROGRESS))
    line(RunFinished("r", True, 1.5, PROGRESS))
    expected = "12/40 operations: 3 computed, 9 known, 0 failed in 1.50 s\n"
    assert stream.getvalue() == expected


def test_the_summary_replaces_the_line() -> None:
    """It has no estimate, and nothing is written after it."""
    stream = io.StringIO()
    with ProgressLine(stream, live=True) as line:
        line(ProgressChanged(PROGRESS))
        line(RunFinished("r", True, 1.5, PROGRESS))
    assert stream.getvalue().endswith(
        "\r\x1b[K12/40 operations: 3 computed, 9 known, 0 failed in 1.50 s\n"
    )
