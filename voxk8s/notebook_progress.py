"""A progress bar: in a notebook it is drawn, elsewhere a line is written for each change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final, TextIO

from voxk8s.execution.events import Event, ProgressChanged

_EVERY: Final = 0.25
"""Seconds between two drawings: more would keep the browser busy."""


class ProgressBar:
    """Shows a text and how much is done; in a notebook in place, at most a few times a second."""

    def __init__(
        self,
        stream: TextIO,
        display: Callable[..., Any] | None,
        clock: Callable[[], float] = time.monotonic,
        before: float = 0.0,
    ) -> None:
        """Write to `stream`; with `display`, IPython's, draw instead."""
        self._stream = stream
        self._display = display
        self._clock = clock
        self._next = clock() + before
        self._handle: Any = None
        self._last = ""

    def show(self, text: str, done: int, total: int) -> None:
        """Show a change."""
        if self._display is None:
            if text != self._last:
                self._last = text
                print(text, file=self._stream, flush=True)
            return
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY
        drawn = _Drawn(
            f"<progress max='{max(total, 1)}' value='{done}'></progress> {escape(text)}", text
        )
        if self._handle is None:
            self._handle = self._display(drawn, display_id=True)
        else:
            self._handle.update(drawn)

    def __call__(self, event: Event) -> None:
        """Show the progress of a run, as one of its listeners, in notebooks only."""
        if self._display is None or not isinstance(event, ProgressChanged):
            return
        progress = event.progress
        text = f"{progress.done}/{progress.total} operations"
        self.show(text, progress.done, progress.total)

    def clear(self) -> None:
        """Remove what was drawn: the results take its place."""
        if self._handle is not None:
            self._handle.update(_Drawn("", ""))


class _Drawn:
    """What a notebook shows: HTML, or a text where there is none."""

    def __init__(self, html: str, text: str) -> None:
        self._html = html
        self._text = text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


@contextmanager
def progress_bar(stream: TextIO, before: float = 0.0) -> Iterator[ProgressBar]:
    """Give a bar, which is removed at the end of the block; `before` are seconds without one."""
    bar = ProgressBar(stream, _display(), before=before)
    try:
        yield bar
    finally:
        bar.clear()


def _display() -> Callable[..., Any] | None:
    """Return IPython's `display` in a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display: Callable[..., Any] = sys.modules["IPython"].display.display
    return display
