"""The log on standard error. A failure in a program shows its line, once for each place."""

from __future__ import annotations

import logging
import sys

from voxk8s.cli.terminal_text import CLEAR
from voxk8s.redact import redact, visible

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
_WIDEST = 120


def start_log(level: int) -> None:
    """Start logging: errors only (-1), warnings (0), progress (1), or every operation (2)."""
    handler = logging.StreamHandler(sys.stderr)
    # On a terminal, the progress line may occupy the current line.
    handler.setFormatter(Formatter(CLEAR if sys.stderr.isatty() else ""))
    log = logging.getLogger("voxk8s")
    log.handlers[:] = [handler]
    log.setLevel(_LEVELS.get(max(level, -1), logging.DEBUG))
    log.propagate = False


class Formatter(logging.Formatter):
    """Formats records; those with a `place` in a program begin with it, as editors expect."""

    def __init__(self, start: str = "") -> None:
        """Write `start` before each record."""
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._start = start
        self._shown: set[str] = set()

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        place = str(getattr(record, "place", ""))
        message = record.getMessage()
        if not place or not message.startswith(f"{place}: "):
            return self._start + _safe(super().format(record))
        text = f"{place}: error: {message[len(place) + 2 :]}"
        if place not in self._shown:
            self._shown.add(place)
            text += _excerpt(place)
        return self._start + _safe(text)


def _safe(text: str) -> str:
    return visible(redact(text))


def _excerpt(place: str) -> str:
    """Return the line of a place with a mark below; empty if it is unreadable or too long."""
    # Imported here: most runs have no failures.
    from voxk8s.cli.input_file import text_of
    from voxk8s.execution.source_locations import line_at

    found = line_at(place, text_of)
    if found is None or len(found[0]) > _WIDEST:
        return ""
    text, column = found
    return f"\n  {text}\n  {' ' * (column - 1)}^"
