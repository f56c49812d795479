"""Short texts for terminals: sizes, elapsed times, and lines that replace themselves."""

from __future__ import annotations

from typing import Final

CLEAR: Final = "\r\x1b[K"
"""What removes the line that the cursor is in."""


def size_text(size: float) -> str:
    """Return a number of bytes with a binary unit, as reports have them: `1.5 KiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def elapsed(seconds: float) -> str:
    """Return a time as clocks show it: `7 s`, `2:05`, `1:00:09`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def cut(text: str, columns: int) -> str:
    """Cut a text for one line of the terminal: a longer one would not be replaced by the next."""
    return text if len(text) <= columns else f"{text[: max(0, columns - 1)]}…"
