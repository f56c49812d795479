"""Where in a program operations come from, for the messages of failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from voxk8s.failure import Failure
from voxk8s.plan import KeyGraph, OperationId, SourceLocation


class SourceLocations:
    """SourceLocations of a plan's nodes by operation id, as text (`file:line:column`).

    Operations of loops have the places of the nodes in the loop's body; `graph` is what leads from
    them there.
    """

    def __init__(self, places: Mapping[OperationId, object] | None = None) -> None:
        self._places = places or {}
        self.graph: KeyGraph | None = None

    def of(self, operation: OperationId) -> str:
        """Give the place of an operation; empty if nobody knows."""
        return str(self._find(operation) or "")

    def locate(self, failure: Failure, operation: OperationId) -> Failure:
        """Return a failure with the place of an operation, and the calls that led there."""
        place = self._find(operation)
        calls = place.call_chain if isinstance(place, SourceLocation) else ""
        return replace(failure, place=str(place or ""), calls=calls)

    def _find(self, operation: OperationId) -> object | None:
        if not self._places:
            return None
        if operation not in self._places and self.graph is not None:
            operation = self.graph.source_of(operation)
        return self._places.get(operation)


def line_at(place: str, text_of: Callable[[str], str]) -> tuple[str, int] | None:
    """Give the line of a place, tabs as blanks, and its column from 1; None if it is not at hand.

    `text_of` gives the text of a file by its name, empty where it has none.
    """
    file, line, column = (*place.rsplit(":", 2), "", "")[:3]
    if not (line.isdecimal() and column.isdecimal()):
        return None
    lines = text_of(file).splitlines()
    if not 0 < int(line) <= len(lines):
        return None
    return lines[int(line) - 1].replace("\t", " "), int(column)


NO_LOCATIONS = SourceLocations()
"""For plans that no program was made into."""
