"""The graph of operations as coordinates of an SVG: layers from the top, arguments first.

Layers hold nodes by the longest way from an input. Within a layer nodes stand near what they are
joined to (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.report.run_data import Graph

WIDTH: Final = 172
HEIGHT: Final = 40
_GAP: Final = 16
_RISE: Final = 30
_MOST_IN_ROW: Final = 7
_SWEEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Drawing:
    """The upper left corners of the nodes, in their order, and the lines that join them."""

    width: int
    height: int
    corners: tuple[tuple[int, int], ...]
    lines: tuple[str, ...]


def draw_graph(graph: Graph) -> Drawing:
    """Lay a graph out; the time is in proportion to its nodes and edges."""
    count = len(graph.nodes)
    rows = _rows(_layers(count, graph.edges), graph.edges)
    width = max(map(len, rows), default=0) * (WIDTH + _GAP) + _GAP
    corners = [(0, 0)] * count
    for depth, row in enumerate(rows):
        left = (width - len(row) * (WIDTH + _GAP) + _GAP) // 2
        for place, node in enumerate(row):
            corners[node] = (left + place * (WIDTH + _GAP), _GAP + depth * (HEIGHT + _RISE))
    return Drawing(
        width,
        len(rows) * (HEIGHT + _RISE) - _RISE + 2 * _GAP if rows else 0,
        tuple(corners),
        tuple(_line(corners[source], corners[target]) for source, target in graph.edges),
    )


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Distribute nodes over layers; an edge that closes a cycle does not count.

    Nodes are in the order of their first operations, so that most edges lead to higher numbers.
    """
    arguments = defaultdict(list)
    for source, target in edges:
        if source < target:
            arguments[target].append(source)
    ranks: list[int] = []
    for node in range(count):
        ranks.append(max((ranks[each] + 1 for each in arguments[node]), default=0))
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(ranks):
        layers[rank].append(node)
    return layers


def _rows(layers: list[list[int]], edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Order the nodes of each layer, and break long layers into rows."""
    neighbours = defaultdict(list)
    for source, target in edges:
        neighbours[source].append(target)
        neighbours[target].append(source)
    places = _places(layers)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda node: (_mean(places, neighbours[node], places[node]), node))
            places.update(_places([layer]))
    rows = []
    for layer in layers:
        parts = -(-len(layer) // _MOST_IN_ROW)
        length = -(-len(layer) // parts)
        rows += [layer[start : start + length] for start in range(0, len(layer), length)]
    return rows


def _places(layers: Sequence[Sequence[int]]) -> dict[int, float]:
    """Return where each node is in its layer, from -0.5 to 0.5."""
    return {
        node: (place + 0.5) / len(layer) - 0.5
        for layer in layers
        for place, node in enumerate(layer)
    }


def _mean(places: Mapping[int, float], nodes: Sequence[int], own: float) -> float:
    return sum(places[each] for each in nodes) / len(nodes) if nodes else own


def _line(source: tuple[int, int], target: tuple[int, int]) -> str:
    """Return the path from the lower edge of a node to the upper edge of another one."""
    x, y = source[0] + WIDTH // 2, source[1] + HEIGHT
    to_x, to_y = target[0] + WIDTH // 2, target[1]
    bend = max(_RISE // 2, abs(to_y - y) // 2)
    return f"M{x} {y}C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}"
