"""Jobs at the same time, and what a terminal shows of them."""

import io
import threading

import pytest

from tests.tools.cluster import progress
from tests.tools.cluster.side_by_side import side_by_side


def test_jobs_overlap() -> None:
    """Jobs that wait for each other all end."""
    meeting = threading.Barrier(2, timeout=10)
    side_by_side(meeting.wait, meeting.wait)


def test_error_comes_when_all_have_ended() -> None:
    """A job that fails leaves none running behind its error."""
    failed, ended = threading.Event(), threading.Event()

    def fails() -> None:
        failed.set()
        raise OSError("no mirror")

    def goes_on() -> None:
        assert failed.wait(10)
        ended.set()

    with pytest.raises(OSError, match="no mirror"):
        side_by_side(fails, goes_on)
    assert ended.is_set()


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_terminal_shows_all_running_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line names what runs; one that ends gets a line above it."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    with progress.step("compile"):
        with progress.step("images"):
            assert terminal.getvalue().endswith("  … compile; images")
        lines = terminal.getvalue().split("\n")
        assert "✓ images" in lines[-2]
        assert lines[-1].endswith("  … compile")


def test_lines_elsewhere_have_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a log a step is one line."""
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with progress.step("compile"):
        pass
    assert log.getvalue().startswith("  ✓ compile (")
    assert len(log.getvalue().splitlines()) == 1
