"""Durations, sizes, times and texts as a report shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from voxk8s.redact import redact, visible
from voxk8s.report.run_data import GraphNode

_LAST: Final = 253_402_300_800.0
"""The end of the year 9999."""
_BOX: Final = 28
"""Characters that have room in a box of the graph."""
_NEVER: Final = "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_UNSHOWN: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NEVER}]")
"""Control characters, lone surrogates and noncharacters."""


def duration(seconds: float) -> str:
    """Return a duration: 0.42 ms, 12.3 s, 3 min 05 s, 2 h 03 min."""
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 1e-6:
        return "0 s"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (100.0, 1.0, "s")):
        if seconds < limit * 0.9995:
            return f"{seconds * factor:.3g} {unit}"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Return a number of bytes: 96 B, 3.4 KiB, 35.6 MiB."""
    if count < 1024:
        return f"{count} B"
    scaled = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        scaled /= 1024
        if scaled < 1000:
            return f"{scaled:.3g} {unit}"
    return f"{scaled / 1024:,.3g} TiB"


def moment(when: float) -> str:
    """Return a time in UTC, to the second: 2026-11-26 22:31:05 UTC."""
    if not 0 <= when < _LAST:
        return f"{when:g} s after 1970"
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def cut(text: str, limit: int) -> str:
    """Return a clean text without its middle if it is longer than `limit` characters.

    Credentials are hidden first: a part of them is not known by its look.
    """
    text = clean(text)
    if len(text) <= limit:
        return text
    half = max(1, (limit - 1) // 2)
    return f"{text[:half]}…{text[-half:]}"


def clean(text: str) -> str:
    """Return a text without credentials; what HTML forbids and readers obey is escaped."""
    return _UNSHOWN.sub(lambda found: f"\\x{ord(found[0]):02x}", visible(redact(text)))


def states(node: GraphNode) -> str:
    """Return how many operations of a node are in which state: 3 computed, 1 failed."""
    counts = {
        "computed": node.computed,
        "known": node.known,
        "failed": node.failed,
        "skipped": node.skipped,
        "not run": node.rest,
    }
    found = {name: count for name, count in counts.items() if count}
    if node.count == 1:
        return next(iter(found))
    return ", ".join(f"{count} {name}" for name, count in found.items())


def brief(node: GraphNode) -> str:
    """Return states and line of a node for its box, without the last states if there is no room."""
    place = f" · line {line(node)}" if node.place else ""
    return _states_within(node, _BOX - len(place)) + place


def _states_within(node: GraphNode, room: int) -> str:
    text = states(node)
    if len(text) <= room:
        return text
    trouble = [f"{node.failed} failed"] * bool(node.failed)
    trouble += [f"{node.skipped} skipped"] * bool(node.skipped)
    parts = trouble + [each for each in text.split(", ") if each not in trouble]
    while len(parts) > 1 and len(", ".join(parts)) >= room:
        parts.pop()
    return f"{', '.join(parts)}…"


def line(node: GraphNode) -> str:
    """Return the number of the line where the operations of a node are."""
    return next((part for part in node.place.split(":")[1:] if part.isdecimal()), "?")


def link(target: str) -> str:
    """Return a link if it leads to a page or a file; empty for any other scheme."""
    return target if target.startswith(("https://", "http://", "file:///", "./", "../")) else ""
