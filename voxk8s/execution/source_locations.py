"""Where in a program operations come from, for messages about failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from voxk8s.failure import Failure
from voxk8s.plan import KeyGraph, OperationId, SourceLocation


class SourceLocations:
    """Places (`file:line:column`) of a plan's operations, by operation id.

    Operations of an expanded loop have the places of the nodes in the loop's body; `graph` maps
    them to these nodes.
    """

    def __init__(self, places: Mapping[OperationId, object] | None = None) -> None:
        self._places = places or {}
        self.graph: KeyGraph | None = None

    def locate(self, failure: Failure, operation: OperationId) -> Failure:
        """Return a failure with the place of an operation, and the calls that led there."""
        if operation not in self._places and self.graph is not None and self._places:
            operation = self.graph.source_of(operation)
        place = self._places.get(operation)
        calls = place.call_chain if isinstance(place, SourceLocation) else ""
        return replace(failure, place=str(place or ""), calls=calls)


def line_at(place: str, text_of: Callable[[str], str]) -> tuple[str, int] | None:
    """Return the line at a place, tabs as blanks, and its column from 1; None if there is none.

    `text_of` returns the text of a file by its name, empty if it is not available.
    """
    file, line, column = (*place.rsplit(":", 2), "", "")[:3]
    if not (line.isdecimal() and column.isdecimal()):
        return None
    lines = text_of(file).splitlines()
    if not 0 < int(line) <= len(lines):
        return None
    return lines[int(line) - 1].replace("\t", " "), int(column)


NO_LOCATIONS = SourceLocations()
"""For plans that were not compiled from a program."""
