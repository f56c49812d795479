"""The progress bar of notebooks."""

from __future__ import annotations

import io
from typing import Any

from voxk8s.execution.events import Progress, ProgressChanged
from voxk8s.notebook_progress import ProgressBar


class Display:
    """What IPython's `display` does: a handle whose drawing is replaced."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def __call__(self, shown: Any, *, display_id: bool) -> Display:
        assert display_id
        self.update(shown)
        return self

    def update(self, shown: Any) -> None:
        """Replace what is shown."""
        self.drawn.append(shown._repr_html_())


def test_a_notebook_draws_one_bar_a_few_times_a_second() -> None:
    """It begins after a while, is renewed in place, and makes room for the results."""
    display, now = Display(), [0.0]
    bar = ProgressBar(io.StringIO(), display, clock=lambda: now[0], before=0.5)
    for seconds, done in ((0.1, 1), (0.6, 2), (0.7, 3), (0.9, 4)):
        now[0] = seconds
        bar(ProgressChanged(Progress(total=9, computed=done)))
    bar.clear()
    assert display.drawn == [
        "<progress max='9' value='2'></progress> 2/9 operations",
        "<progress max='9' value='4'></progress> 4/9 operations",
        "",
    ]


def test_elsewhere_each_change_is_a_line() -> None:
    """A run here has other listeners for that; nothing is there to be removed."""
    stream = io.StringIO()
    bar = ProgressBar(stream, None)
    for text in ("one: Running", "one: Running", "one: Succeeded"):
        bar.show(text, 1, 2)
    bar(ProgressChanged(Progress(total=9)))
    bar.clear()
    assert stream.getvalue() == "one: Running\none: Succeeded\n"
